package sigma

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// document is one YAML document of a file.
type document struct {
	file string
	node *yaml.Node // a map
}

// maxFile is far more than any file of rules has.
const maxFile = 64 << 20

// findFiles lists the files that the paths name, each once: a file itself, and
// of a folder everything below it that ends like YAML.
func findFiles(paths []string) (files []string, inFolder map[string]bool, err error) {
	inFolder = map[string]bool{}
	add := func(file string, found bool) {
		if file = filepath.Clean(file); !slices.Contains(files, file) {
			files = append(files, file)
			inFolder[file] = found
		}
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, nil, fmt.Errorf("read Sigma rules: %w", err)
		}
		if !info.IsDir() {
			add(path, false)
			continue
		}
		before := len(files)
		// The trailing separator has a link to a folder followed.
		err = filepath.WalkDir(path+string(filepath.Separator), func(file string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if ext := strings.ToLower(filepath.Ext(file)); ext != ".yml" && ext != ".yaml" {
				return nil
			}
			// Through a link, as rules are where they are mounted.
			if info, err := os.Stat(file); d.Type()&fs.ModeSymlink != 0 && err == nil && info.Mode().IsRegular() || d.Type().IsRegular() {
				add(file, true)
			}
			return nil
		})
		if err != nil {
			return nil, nil, fmt.Errorf("read Sigma rules: %w", err)
		}
		if len(files) == before {
			return nil, nil, fmt.Errorf("read Sigma rules: %s holds no .yml or .yaml file", path)
		}
	}
	return files, inFolder, nil
}

// readDocuments reads the documents of a file. What comes after damage is lost;
// the error says where that is.
func readDocuments(file string) ([]document, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, reasonf("cannot be read: %s", errors.Unwrap(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, reasonf("cannot be read: %s", err)
	case len(data) > maxFile:
		return nil, reasonf("has more than %d MB", maxFile>>20)
	case !utf8.Valid(data):
		return nil, reasonf("is no YAML: it is not UTF-8 text")
	}
	return parseDocuments(file, data)
}

func parseDocuments(file string, data []byte) (documents []document, err error) {
	defer func() {
		// The parser gives up on some damage this way.
		if p := recover(); p != nil {
			err = reasonf("is no YAML: %v", p)
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var n yaml.Node
		err := decoder.Decode(&n)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return documents, yamlError(err)
		}
		if len(n.Content) == 0 || n.Content[0].Tag == "!!null" {
			continue
		}
		root := deref(n.Content[0])
		if root.Kind != yaml.MappingNode {
			return documents, at(root, reasonf("is no Sigma rule: a rule is a YAML map"))
		}
		documents = append(documents, document{file, root})
	}
}

var yamlLine = regexp.MustCompile(`^yaml: (?:unmarshal errors:\s*)?(?:line (\d+): )?`)

// yamlError says in the parser's words where a file is no YAML.
func yamlError(err error) error {
	text := err.Error()
	m := yamlLine.FindStringSubmatch(text)
	if m == nil {
		return reasonf("is no YAML: %s", text)
	}
	line, _ := strconv.Atoi(m[1])
	return lined{line, reasonf("is no YAML: %s", text[len(m[0]):])}
}

// reason is why something cannot be compiled.
type reason string

func (r reason) Error() string { return string(r) }

func reasonf(format string, args ...any) error { return reason(fmt.Sprintf(format, args...)) }

// lined is an error and the line of the file that it is about.
type lined struct {
	line int
	error
}

func (l lined) Unwrap() error { return l.error }

// at says that an error is about a node, unless it knows better.
func at(n *yaml.Node, err error) error {
	if known := (lined{}); errors.As(err, &known) {
		return err
	}
	return lined{n.Line, err}
}

// deref follows an alias.
func deref(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// members are the keys and values of a map.
func members(n *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		if n = deref(n); n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(deref(n.Content[i]), n.Content[i+1]) {
				return
			}
		}
	}
}

// member is the value under a key of a map; nil where it has none or null.
func member(n *yaml.Node, key string) *yaml.Node {
	if n == nil {
		return nil
	}
	for k, v := range members(n) {
		if v = deref(v); k.Value == key && v.Tag != "!!null" {
			return v
		}
	}
	return nil
}

// text is the scalar under a key of a map, on one line.
func text(n *yaml.Node, key string) string {
	if v := member(n, key); v != nil && v.Kind == yaml.ScalarNode {
		return strings.Join(strings.Fields(v.Value), " ")
	}
	return ""
}

// texts are the scalars of the list, or the one scalar, under a key of a map.
func texts(n *yaml.Node, key string) []string {
	v := member(n, key)
	if v == nil {
		return nil
	}
	list := []*yaml.Node{v}
	if v.Kind == yaml.SequenceNode {
		list = v.Content
	}
	var out []string
	for _, x := range list {
		if x = deref(x); x.Kind == yaml.ScalarNode {
			out = append(out, x.Value)
		}
	}
	return out
}

// textOf is a value's text as it stands in the rule: an account id keeps its
// zeros. Hexadecimal numbers are decimal ones in the log.
func textOf(n *yaml.Node) string {
	if n.Tag == "!!int" && strings.HasPrefix(strings.ToLower(n.Value), "0x") {
		if v, err := strconv.ParseUint(n.Value[2:], 16, 64); err == nil {
			return strconv.FormatUint(v, 10)
		}
	}
	return n.Value
}

// checkShape refuses what makes a walk over the nodes endless or very long, and
// keys that stand twice in a map.
func checkShape(n *yaml.Node) error {
	budget := 200_000
	var walk func(n *yaml.Node, depth int) error
	walk = func(n *yaml.Node, depth int) error {
		if budget--; budget < 0 || depth > 50 {
			return at(n, reasonf("its YAML refers to itself or is nested too deep"))
		}
		n = deref(n)
		if n.Kind == yaml.MappingNode {
			seen := map[string]bool{}
			for key := range members(n) {
				if key.Kind != yaml.ScalarNode {
					return at(key, reasonf("a key is no text"))
				}
				if seen[key.Value] {
					return at(key, reasonf("%q stands twice in a map", key.Value))
				}
				seen[key.Value] = true
			}
		}
		for _, c := range n.Content {
			if err := walk(c, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return walk(n, 0)
}

// expandActions applies the action documents of old rule collections: global
// gives the rules after it what they lack, reset ends that, and repeat makes
// another rule of the one before.
func expandActions(documents []document) []document {
	var out []document
	var global, last *yaml.Node
	file := ""
	for _, d := range documents {
		if d.file != file {
			file, global, last = d.file, nil, nil
		}
		switch text(d.node, "action") {
		case "global":
			global = merged(global, d.node, 0)
		case "reset":
			global = nil
		case "repeat":
			if last != nil {
				last = merged(last, d.node, 0)
				out = append(out, document{d.file, last})
			}
		default:
			last = merged(global, d.node, 0)
			out = append(out, document{d.file, last})
		}
	}
	return out
}

// merged is base with what over says on top of it; maps are merged key by key.
func merged(base, over *yaml.Node, depth int) *yaml.Node {
	if base == nil || depth > 50 {
		return over
	}
	base, over = deref(base), deref(over)
	if base.Kind != yaml.MappingNode || over.Kind != yaml.MappingNode {
		return over
	}
	m := *over
	m.Content = nil
	for key, value := range members(base) {
		if key.Value == "action" {
			continue
		}
		if above := member(over, key.Value); above != nil {
			value = merged(value, above, depth+1)
		}
		m.Content = append(m.Content, key, value)
	}
	for key, value := range members(over) {
		if key.Value != "action" && member(base, key.Value) == nil {
			m.Content = append(m.Content, key, value)
		}
	}
	return &m
}
