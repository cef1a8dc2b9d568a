package logline

import (
	"bytes"
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A Time is the stamp of a line.
type Time struct {
	At time.Time // in UTC; without a zone as if the line's clock were UTC
	// Unit is how exact it is: the true time is less than Unit later.
	Unit time.Duration
	// Zoned says that the zone is known. Else At is wrong by a whole number of
	// quarter-hours.
	Zoned bool
	// NoDate says that only the time of day was written; NoYear that the year was
	// not. At then has year 0.
	NoDate, NoYear bool
}

// head is how much of a line is searched for its stamp.
const head = 200

// A form is one way in which a time is written.
type form struct {
	find    *regexp.Regexp
	layouts []string
	zoned   bool
	noDate  bool
	noYear  bool
}

// forms, the more telling first. A fraction of a second is cut off before a
// layout is tried, and added again.
var forms = []form{
	// 2026-11-25T07:56:02.25Z, 2026-11-25 07:56:02,250 +0100, as most write it
	{find: regexp.MustCompile(`\b(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))? ?(Z|UTC|GMT|[+-]\d\d:?\d\d)`),
		layouts: []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05"}, zoned: true},
	// 25/Nov/2026:07:56:02 +0000: common log format
	{find: regexp.MustCompile(`(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d)(?:\.(\d{1,9}))? ?([+-]\d{4})`),
		layouts: []string{"02/Jan/2006:15:04:05"}, zoned: true},
	// [25/Nov/2026:07:56:02.250]: HAProxy
	{find: regexp.MustCompile(`(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?()`),
		layouts: []string{"02/Jan/2006:15:04:05"}},
	// 2026-11-25 07:56:02,250: Python, Java, Ruby, lighttpd
	{find: regexp.MustCompile(`(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,:](\d{3,9})\b)?()`),
		layouts: []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05"}},
	// 2026/11/25 07:56:02: nginx, Go's log
	{find: regexp.MustCompile(`(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?()`),
		layouts: []string{"2006/01/02 15:04:05"}},
	// Wed Nov 25 07:56:02.123456 2026: Apache
	{find: regexp.MustCompile(`\b[A-Z][a-z]{2} ([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)(?:\.(\d{1,9}))? (\d{4})\b`),
		layouts: []string{"Jan _2 15:04:05"}},
	// 25-Nov-2026 07:56:02 UTC: PHP
	{find: regexp.MustCompile(`(\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d)(?:\.(\d{1,9}))?( UTC)?`),
		layouts: []string{"02-Jan-2006 15:04:05"}},
	// Nov 25, 2026 7:56:02 PM: java.util.logging
	{find: regexp.MustCompile(`\b([A-Z][a-z]{2} \d{1,2}, \d{4} \d{1,2}:\d\d:\d\d [AP]M)()()`),
		layouts: []string{"Jan 2, 2006 3:04:05 PM"}},
	// 25.11.2026 07:56:02
	{find: regexp.MustCompile(`\b(\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?()`),
		layouts: []string{"02.01.2006 15:04:05"}},
	// I1125 07:56:02.123456: klog
	{find: regexp.MustCompile(`^[IWEF](\d{4} \d\d:\d\d:\d\d)\.(\d{6})()`), layouts: []string{"0102 15:04:05"},
		noYear: true},
	// Nov 25 07:56:02: syslog
	{find: regexp.MustCompile(`\b([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)(?:\.(\d{1,9}))?()`),
		layouts: []string{"Jan _2 15:04:05"}, noYear: true},
	// 07:56:02.250: logback's default, Spring's, tools on a terminal
	{find: regexp.MustCompile(`^\W{0,2}(\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?()\b`), layouts: []string{"15:04:05"},
		noDate: true},
}

// A Stamper reads the stamps of one file. Its zero value is ready. It remembers
// the form that it met last, since a file mostly keeps to one.
type Stamper struct{ last int }

// Stamp finds the time of a line.
func (s *Stamper) Stamp(line string) (Time, bool) {
	if len(line) < 8 {
		return Time{}, false
	}
	if line[0] == '{' {
		return jsonTime(line)
	}
	if t, ok := epoch(line); ok {
		return t, true
	}
	if len(line) > head {
		line = line[:head]
	}
	if !hasClock(line) {
		return Time{}, false
	}
	if f := &forms[s.last]; f.zoned { // else a zone may stand in this line
		if t, ok := f.read(line); ok {
			return t, true
		}
	}
	for i := range forms {
		if t, ok := forms[i].read(line); ok {
			s.last = i
			return t, true
		}
	}
	return Time{}, false
}

// Stamp finds the time of a single line.
func Stamp(line string) (Time, bool) { return new(Stamper).Stamp(line) }

// hasClock reports whether "dd:dd:dd" stands in the line, without which no form
// matches.
func hasClock(line string) bool {
	for i := 0; i+5 < len(line); i++ {
		if line[i] == ':' && line[i+3] == ':' && digit(line[i+1]) && digit(line[i+2]) && digit(line[i+4]) &&
			digit(line[i+5]) {
			return true
		}
	}
	return false
}

func digit(b byte) bool { return '0' <= b && b <= '9' }

func (f *form) read(line string) (Time, bool) {
	m := f.find.FindStringSubmatch(line)
	if m == nil {
		return Time{}, false
	}
	for _, layout := range f.layouts {
		at, err := time.Parse(layout, m[1])
		if err != nil {
			continue
		}
		t := Time{At: at, Unit: time.Second, Zoned: f.zoned, NoDate: f.noDate, NoYear: f.noYear}
		if m[2] != "" {
			ns, _ := strconv.Atoi((m[2] + "000000000")[:9]) // digits
			t.At = t.At.Add(time.Duration(ns))
			t.Unit = max(time.Duration(math.Pow10(9-len(m[2]))), time.Microsecond)
		}
		return t.zone(strings.TrimSpace(m[3]))
	}
	return Time{}, false
}

// zone applies what stands behind the time: a zone, or Apache's year.
func (t Time) zone(z string) (Time, bool) {
	switch {
	case z == "":
	case z == "Z", z == "UTC", z == "GMT":
		t.Zoned = true
	case len(z) == 4 && digit(z[0]):
		year, _ := strconv.Atoi(z) // four digits
		t.At = t.At.AddDate(year-t.At.Year(), 0, 0)
	default:
		z = strings.Replace(z, ":", "", 1)
		h, err := strconv.Atoi(z[1:3])
		m, err2 := strconv.Atoi(z[3:])
		if err != nil || err2 != nil {
			return t, false
		}
		off := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
		if z[0] == '+' {
			off = -off
		}
		t.At, t.Zoned = t.At.Add(off), true
	}
	return t, true
}

// epoch reads seconds since 1970 with a fraction, as nginx's $msec, or whole
// milliseconds, at the beginning of a line.
func epoch(line string) (Time, bool) {
	i := 0
	for i < len(line) && i < 20 && (digit(line[i]) || line[i] == '.') {
		i++
	}
	word := line[:i]
	if i < 13 || i < len(line) && line[i] != ' ' && line[i] != '\t' {
		return Time{}, false
	}
	whole, fraction, point := strings.Cut(word, ".")
	switch {
	case point && len(whole) == 10 && len(fraction) >= 3:
		s, err := strconv.ParseInt(whole, 10, 64)
		ns, err2 := strconv.ParseInt((fraction + "000000")[:9], 10, 64)
		return Time{At: time.Unix(s, ns).UTC(), Unit: time.Millisecond, Zoned: true}, err == nil && err2 == nil
	case !point && len(whole) == 13:
		ms, err := strconv.ParseInt(whole, 10, 64)
		return Time{At: time.UnixMilli(ms).UTC(), Unit: time.Millisecond, Zoned: true}, err == nil
	}
	return Time{}, false
}

// timeKeys are the names under which JSON logs keep their time, in the order of
// how telling they are.
var timeKeys = []string{"ts", "time", "timestamp", "@timestamp", "t", "StartUTC", "start_time", "datetime", "asctime",
	"date", "eventTime", "Timestamp"}

// jsonTime reads the stamp of a JSON line: a number since 1970 in any unit, or a
// text in any form.
func jsonTime(line string) (Time, bool) {
	var m map[string]json.RawMessage
	if json.Unmarshal([]byte(line), &m) != nil {
		return Time{}, false
	}
	for _, k := range timeKeys {
		v, ok := m[k]
		if !ok {
			continue
		}
		v = bytes.TrimSpace(v)
		if len(v) > 1 && v[0] == '"' {
			var s string
			if json.Unmarshal(v, &s) != nil {
				continue
			}
			if t, ok := new(Stamper).Stamp(s); ok {
				return t, true
			}
			v = []byte(s)
		}
		if t, ok := sinceEpoch(string(v)); ok {
			return t, true
		}
	}
	return Time{}, false
}

// sinceEpoch tells the unit of a number by its size.
func sinceEpoch(s string) (Time, bool) {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return Time{}, false
	}
	if ns, err := strconv.ParseInt(s, 10, 64); err == nil && x >= 1e18 {
		return Time{At: time.Unix(0, ns).UTC(), Unit: time.Microsecond, Zoned: true}, true
	}
	unit := time.Millisecond
	switch {
	case x >= 1e15 && x < 1e17: // microseconds
		x /= 1e6
	case x >= 1e12 && x < 1e14: // milliseconds
		x /= 1e3
	case x >= 1e9 && x < 1e11: // seconds
		if !strings.Contains(s, ".") {
			unit = time.Second
		}
	default:
		return Time{}, false
	}
	whole, frac := math.Modf(x)
	return Time{At: time.Unix(int64(whole), int64(math.Round(frac*1e6))*1e3).UTC(), Unit: unit, Zoned: true}, true
}
