package main

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/streamproof/streamproof/harness/suggest"
)

// meanings are flags of curl, hey, oha, wrk, k6, vegeta and ab, and what says the
// same here. A name of ours that is written likewise is tried after these: --data
// is not --dialect.
var meanings = map[string]string{
	"vus": "--streams", "users": "--streams", "connections": "--streams", "concurrency": "--streams",
	"concurrent": "--streams",
	"parallel":   "--streams", "clients": "--streams", "workers-count": "--streams", "max-workers": "--streams",
	"iterations": "--count", "requests": "--count", "number": "--count", "total": "--count", "amount": "--count",
	"num":  "--count",
	"time": "--duration", "stages": "--stage", "rps": "--rate", "qps": "--rate", "rate-limit": "--rate",
	"ramp-up": "--ramp", "rampup": "--ramp",
	"data": "--body", "data-raw": "--body", "data-binary": "--body",
	"json":    "--body with --header 'Content-Type: application/json'",
	"payload": "--body", "body-file": "--body @FILE", "form": "--body", "request": "--method", "verb": "--method",
	"headers": "--header",
	"user":    "--header 'Authorization: Basic ${CREDENTIALS}'", "auth": "--header 'Authorization: ${AUTHORIZATION}'",
	"token":  "--header 'Authorization: Bearer ${TOKEN}'",
	"bearer": "--header 'Authorization: Bearer ${TOKEN}'", "api-key": "--header 'X-API-Key: ${API_KEY}'",
	"user-agent": "--header 'User-Agent: NAME'",
	"cookie":     "--header 'Cookie: ${COOKIE}'", "accept": "--header 'Accept: text/event-stream'",
	"content-type": "--header 'Content-Type: application/json'",
	"referer":      "--header 'Referer: URL'",
	"host":         "--header 'Host: NAME', or --allow-host for a server elsewhere",
	"target":       "--url", "endpoint": "--url",
	"address": "--url",
	"timeout": "--total-limit", "max-time": "--total-limit", "connect-timeout": "--total-limit", "ttft": "--first-event",
	"idle-timeout": "--gap-limit",
	"format":       "--dialect", "protocol": "--dialect", "type": "--dialect", "api": "--dialect", "done": "--terminal",
	"end": "--terminal", "stop": "--terminal",
	"tests": "--scenario", "test": "--scenario", "suite": "--scenario", "scenarios": "--scenario", "only": "--scenario",
	"run": "--scenario", "all": "--scenario all",
	"config": "--file", "output": "--out", "report-dir": "--out", "dir": "--out", "silent": "--quiet",
	"verbose":   "the HTML report, which has every detail",
	"no-colour": "--no-color", "skip-unable": "--allow-unable", "location": "nothing: redirects are followed",
	"docker": "--stack docker", "local": "--stack local",
	"skip-tls-verify": "--insecure", "insecure-skip-tls-verify": "--insecure", "tls-skip-verify": "--insecure",
	"no-verify": "--insecure",
	"ca":        "--cacert", "root-certs": "--cacert", "connect-to": "--resolve", "servername": "--sni",
	"server-name": "--sni", "stream": "nothing: every request is read as a stream",
}

// letters are flags of one letter of the same programs.
var letters = map[string]string{
	"X": "-m (--method)", "k": "--insecure",
	"u": "-c (--streams), or --header 'Authorization: ${AUTHORIZATION}'",
	"z": "--duration", "t": "--total-limit", "i": "-n (--count)",
	"v": "the HTML report, which has every detail", "L": "nothing: redirects are followed",
	"A": "--header 'User-Agent: NAME'", "b": "--header 'Cookie: ${COOKIE}'",
	"D": "--body @FILE", "T": "--header 'Content-Type: application/json'", "r": "--rate",
	"N": "nothing: nothing is buffered", "S": "nothing", "w": "-c (--streams)",
}

// meant finds what somebody meant by a flag that we have not: by its meaning first,
// then by its letters.
func meant(name string, flags *pflag.FlagSet) string {
	var names []string
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if m, ok := meanings[strings.ToLower(name)]; ok && has(flags, m) {
		return m
	}
	if s := suggest.Nearest(name, names); s != "" {
		return "--" + s
	}
	return ""
}

// has reports whether the flag that a meaning begins with is one of the command's.
func has(flags *pflag.FlagSet, meaning string) bool {
	name, ok := strings.CutPrefix(strings.FieldsFunc(meaning, func(r rune) bool { return r == ' ' || r == ',' })[0], "--")
	return !ok || flags.Lookup(name) != nil
}

// did asks back.
func did(meaning string) string {
	if rest, ok := strings.CutPrefix(meaning, "nothing"); ok {
		return "leave it out" + rest
	}
	if strings.HasPrefix(meaning, "-") {
		return "did you mean " + meaning + "?"
	}
	return "see " + meaning
}
