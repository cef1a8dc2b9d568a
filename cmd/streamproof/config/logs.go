package config

import (
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/streamproof/streamproof/harness/record"
)

// LogKinds are the kinds of logs that diagnosis can read.
var LogKinds = []string{string(record.NginxAccess), string(record.NginxError), string(record.AppLog), string(record.ProxyLog)}

// LogKind says what is wrong with the name of a kind; nil where it is known.
func LogKind(kind string) *ValueError {
	if slices.Contains(LogKinds, kind) {
		return nil
	}
	return &ValueError{Problem: "unknown kind of log \"" + kind + "\"", Fix: Suggest(kind, LogKinds)}
}

// checkLogs refuses kinds of logs that nobody reads.
func (f *File) checkLogs(body ast.Node) error {
	for _, section := range pairs(body) {
		if section.Key.GetToken().Value != "logs" {
			continue
		}
		for _, log := range pairs(section.Value) {
			key := log.Key.GetToken()
			if e := LogKind(key.Value); e != nil {
				return f.at(key, e.Problem, e.Fix)
			}
		}
	}
	return nil
}
