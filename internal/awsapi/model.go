// Package awsapi calls operations of AWS APIs by their names, with parameters
// and answers as plain data. It is for the many services of which trailscan
// needs few operations: requests are written and read by the protocols of
// aws-sdk-go-v2, retried and signed by it, but their shapes come from models/,
// since compiling the SDK's clients of all of them takes minutes.
package awsapi

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"sync"
)

// models holds what extract.py wrote.
//
//go:embed models
var models embed.FS

// Model is the part of a service's API model that trailscan knows.
type Model struct {
	Metadata   Metadata              `json:"metadata"`
	Operations map[string]*Operation `json:"operations"`
	Shapes     map[string]*Shape     `json:"shapes"`
}

// Metadata is how a service is spoken to.
type Metadata struct {
	APIVersion     string              `json:"apiVersion"`
	EndpointPrefix string              `json:"endpointPrefix"`
	Endpoints      map[string]Endpoint `json:"endpoints"` // by partition
	JSONVersion    string              `json:"jsonVersion"`
	Protocol       string              `json:"protocol"`
	Protocols      []string            `json:"protocols"`
	ServiceID      string              `json:"serviceId"`
	SigningName    string              `json:"signingName"`
	TargetPrefix   string              `json:"targetPrefix"`
	XMLNamespace   string              `json:"xmlNamespace"`
	// QueryCompatible services speak JSON and answer with the error codes of
	// their former query protocol.
	QueryCompatible *struct{} `json:"awsQueryCompatible"`
}

// Endpoint is a host name with {region} in it, or that of a service that has one
// endpoint for a partition and the region that its requests are signed for.
type Endpoint struct {
	Host   string `json:"host"`
	Region string `json:"region"`
}

// Operation is one call of an API.
type Operation struct {
	HTTP struct {
		Method string `json:"method"`
		URI    string `json:"requestUri"`
	} `json:"http"`
	Input      *Ref   `json:"input"`
	Output     *Ref   `json:"output"`
	Checksum   bool   `json:"checksum"`
	HostPrefix string `json:"hostPrefix"`
}

// Ref is a use of a shape, as a member or an element.
type Ref struct {
	Shape            string        `json:"shape"`
	Location         string        `json:"location"`
	LocationName     string        `json:"locationName"`
	QueryName        string        `json:"queryName"`
	TimestampFormat  string        `json:"timestampFormat"`
	XMLNamespace     *XMLNamespace `json:"xmlNamespace"`
	XMLAttribute     bool          `json:"xmlAttribute"`
	Flattened        bool          `json:"flattened"`
	IdempotencyToken bool          `json:"idempotencyToken"`
}

// XMLNamespace is the namespace of an element.
type XMLNamespace struct {
	URI    string `json:"uri"`
	Prefix string `json:"prefix"`
}

// Shape is a type.
type Shape struct {
	Type            string          `json:"type"`
	Required        []string        `json:"required"`
	Members         map[string]*Ref `json:"members"`
	Member          *Ref            `json:"member"`
	Key             *Ref            `json:"key"`
	Value           *Ref            `json:"value"`
	Payload         string          `json:"payload"`
	Flattened       bool            `json:"flattened"`
	Union           bool            `json:"union"`
	Document        bool            `json:"document"`
	Enum            []string        `json:"enum"`
	LocationName    string          `json:"locationName"`
	TimestampFormat string          `json:"timestampFormat"`
	XMLNamespace    *XMLNamespace   `json:"xmlNamespace"`
}

// library is a folder of models, each read once.
type library struct {
	files  fs.FS
	loaded sync.Map // service: func() (*service, error)
}

// own are the models that this package has.
var own = &library{files: within(models)}

func within(files embed.FS) fs.FS {
	sub, err := fs.Sub(files, "models")
	if err != nil {
		return files // only for a name that is no path
	}
	return sub
}

// Load gives the model of a service, under the name of its package in
// aws-sdk-go-v2.
func Load(service string) (*Model, error) {
	s, err := serviceOf(service)
	if err != nil {
		return nil, err
	}
	return s.model, nil
}

// Services are the names that Load knows, sorted.
func Services() []string {
	entries, err := models.ReadDir("models")
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name()[:len(e.Name())-len(".json")])
	}
	return names
}

func serviceOf(name string) (*service, error) { return own.service(name) }

func (l *library) service(name string) (*service, error) {
	once, _ := l.loaded.LoadOrStore(name, sync.OnceValues(func() (*service, error) {
		text, err := fs.ReadFile(l.files, name+".json")
		if err != nil {
			return nil, fmt.Errorf("no model of the service %q", name)
		}
		var m Model
		if err := json.Unmarshal(text, &m); err != nil {
			return nil, fmt.Errorf("model of %s: %w", name, err)
		}
		return newService(name, &m)
	}))
	return once.(func() (*service, error))()
}

// Field is the name that aws-sdk-go-v2 gives a member: it begins with a capital.
func Field(member string) string {
	if member == "" || member[0] < 'a' || member[0] > 'z' {
		return member
	}
	return string(member[0]-'a'+'A') + member[1:]
}

// MemberOf gives the member of a structure that aws-sdk-go-v2 calls so.
func (s *Shape) MemberOf(field string) (name string, ref *Ref) {
	if field == "" || Field(field) != field {
		return "", nil
	}
	if ref := s.Members[field]; ref != nil {
		return field, ref
	}
	if c := field[0]; c >= 'A' && c <= 'Z' {
		lower := string(c-'A'+'a') + field[1:]
		return lower, s.Members[lower]
	}
	return "", nil
}
