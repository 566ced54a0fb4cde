package trino

import (
	"slices"
	"strings"
)

// Table macros that give the views for the identities that fulfil a condition. A
// query that filters on useridentity reads them, so that DuckDB need not put every
// identity together to look at a field of it. The filter stays where it is.
const (
	LogsOf        = "trino_cloudtrail_logs_of"
	BoundedLogsOf = "trino_cloudtrail_logs_between_of"
	LakeOf        = "trino_event_data_store_of"
)

// identityFields are the columns of identities behind the fields of useridentity.
var identityFields = map[string]string{
	"type":             "identity_type",
	"principalid":      "principal_id",
	"arn":              "identity_arn",
	"accountid":        "identity_account_id",
	"accesskeyid":      "access_key_id",
	"username":         "user_name",
	"invokedby":        "invoked_by",
	"identityprovider": "identity_provider",
	"sessioncontext.attributes.mfaauthenticated": "CAST(session_mfa AS VARCHAR)",
	"sessioncontext.sessionissuer.type":          "session_issuer_type",
	"sessioncontext.sessionissuer.principalid":   "session_issuer_principal_id",
	"sessioncontext.sessionissuer.arn":           "session_issuer_arn",
	"sessioncontext.sessionissuer.accountid":     "session_issuer_account_id",
	"sessioncontext.sessionissuer.username":      "session_issuer_name",
	"sessioncontext.sourceidentity":              "source_identity",
}

// identities is what the WHERE behind token next asks of the identities of the
// table called by these names, as a condition on their columns; "" for nothing.
func (r *rewriter) identities(next, j int, called ...string) string {
	start, end := r.where(next, j)
	var list []string
	r.identityConditions(start, end, called, &list)
	return strings.Join(list, " AND ")
}

func (r *rewriter) identityConditions(i, j int, called []string, list *[]string) {
	conjuncts, ok := r.conjuncts(i, j)
	if !ok {
		return
	}
	for _, c := range conjuncts {
		if r.at(c[0]).is("(") && r.close[c[0]]+1 == c[1] {
			r.identityConditions(c[0]+1, c[1]-1, called, list)
		} else if condition := r.identityCondition(c, called); condition != "" {
			*list = append(*list, condition)
		}
	}
}

// identityCondition is a condition as one on the columns of identities. It must
// be false or NULL where the field is NULL, for the side of an outer join that may
// be missing.
func (r *rewriter) identityCondition(c [2]int, called []string) string {
	if r.at(c[0]).is("REGEXP_LIKE") && r.at(c[0]+1).is("(") && r.close[c[0]+1]+1 == c[1] {
		column, next := r.identityField(c[0]+2, called)
		if column != "" && r.at(next).is(",") && r.bound(next+1) && next+3 == c[1] {
			return "regexp_like(" + column + ", " + r.at(next+1).text + ")"
		}
		return ""
	}
	if r.bound(c[0]) && r.at(c[0]+1).is("=") {
		if column, next := r.identityField(c[0]+2, called); column != "" && next == c[1] {
			return column + " = " + r.at(c[0]).text
		}
		return ""
	}
	column, next := r.identityField(c[0], called)
	if column == "" {
		return ""
	}
	rest := c[1] - next
	switch op := r.at(next); {
	case op.is("=", "<>", "!=", "LIKE") && rest == 2 && r.bound(next+1),
		op.is("NOT") && r.at(next+1).is("LIKE") && rest == 3 && r.bound(next+2),
		op.is("IS") && r.at(next+1).is("NOT") && r.at(next+2).is("NULL") && rest == 3,
		op.is("IN") && r.at(next+1).is("(") && r.allBound(next+1) && r.close[next+1]+1 == c[1]:
		return column + " " + r.copied(next, c[1]).String()
	}
	return ""
}

// identityField is the column behind the field of useridentity that token k
// names, when it is of this table, and the token behind it.
func (r *rewriter) identityField(k int, called []string) (string, int) {
	path, next := r.path(k, len(r.toks))
	if len(path) > 2 && slices.ContainsFunc(called, func(c string) bool { return strings.EqualFold(c, path[0]) }) {
		path = path[1:]
	}
	if len(path) < 2 || !strings.EqualFold(path[0], "useridentity") {
		return "", 0
	}
	return identityFields[strings.ToLower(strings.Join(path[1:], "."))], next
}

// bound says whether token k is a value that no event decides: a text, or a
// parameter by its name.
func (r *rewriter) bound(k int) bool {
	t := r.at(k)
	if t.kind == placeholder {
		return len(t.text) > 1 && t.text[0] == '$' && t.text[1] != '{'
	}
	_, ok := t.value()
	return ok
}

// allBound says whether in the brackets that open at k are such values only.
func (r *rewriter) allBound(k int) bool {
	for _, a := range r.args(k) {
		if a[1] != a[0]+1 || !r.bound(a[0]) {
			return false
		}
	}
	return r.close[k] > k+1
}
