package trino

import (
	"slices"
	"strings"
)

// dateLike says whether an argument is a date, as far as it shows.
func (r *rewriter) dateLike(arg [2]int) bool {
	if r.at(arg[0]).is("CURRENT_DATE", "DATE", "FROM_ISO8601_DATE") {
		return true
	}
	if !r.at(arg[0]).is("CAST", "TRY_CAST") || !r.at(arg[0]+1).is("(") {
		return false
	}
	end := r.close[arg[0]+1]
	return end+1 == arg[1] && r.at(end-1).is("DATE") && r.at(end-2).is("AS")
}

// dates is SEQUENCE of dates, a day apart if nothing else is said: DuckDB makes
// times of them.
func dates(c *call) (fragment, bool) {
	if len(c.args) < 2 || !c.dateLike(c.args[0]) {
		return nil, false
	}
	step := fragment{{"CASE WHEN ", -1}}
	step = concat(step, c.arg(0), fragment{{" <= ", -1}}, c.arg(1), fragment{{" THEN INTERVAL 1 DAY ELSE INTERVAL (-1) DAY END", -1}})
	if len(c.args) == 3 {
		if !slices.ContainsFunc([]string{"DAY", "WEEK", "MONTH", "YEAR"}, func(unit string) bool { return c.at(c.args[2][1] - 1).is(unit) }) {
			return nil, false
		}
		step = c.arg(2)
	}
	return wrap("CAST(", c.to("generate_series", wrap("CAST(", c.arg(0), " AS TIMESTAMP)"), wrap("CAST(", c.arg(1), " AS TIMESTAMP)"), step), " AS DATE[])"), true
}

// fromUnixtime of a zone gives the local time there.
func fromUnixtime(c *call) (fragment, bool) {
	if len(c.args) != 2 || c.at(c.args[1][0]).kind != literal {
		return nil, false
	}
	return c.to("at_timezone", c.to("from_unixtime", c.arg(0)), c.arg(1)), true
}

// containsAddress asks whether an address is in a network. That of lists is DuckDB's.
// https://trino.io/docs/current/functions/ipaddress.html
func containsAddress(c *call) (fragment, bool) {
	if len(c.args) != 2 {
		return nil, false
	}
	ip := c.args[1]
	switch {
	case c.at(ip[0]).is("IPADDRESS") && c.size(1) == 2 && c.at(ip[0]+1).kind == literal:
		return c.to("trino_in_network", c.arg(0), c.walk(ip[0]+1, ip[1], c.names)), true
	case c.at(ip[0]).is("CAST", "TRY_CAST") && strings.EqualFold(c.at(ip[1]-2).text, "IPADDRESS"):
		return c.to("trino_in_network", c.arg(0), c.arg(1)), true
	}
	return nil, false
}
