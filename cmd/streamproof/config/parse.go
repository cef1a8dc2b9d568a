package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"mvdan.cc/sh/v3/syntax"

	"github.com/streamproof/streamproof/harness/stack/settings"
)

// A ValueError is a value that cannot be read, and what to write instead.
type ValueError struct {
	Problem, Fix string
}

func (e *ValueError) Error() string { return e.Problem + "; " + e.Fix }

func badValue(fix, problem string, args ...any) error {
	return &ValueError{Problem: fmt.Sprintf(problem, args...), Fix: fix}
}

func parseDuration(s string) (time.Duration, error) {
	const fix = "write it like 500ms, 30s or 2m"
	if n, err := strconv.ParseFloat(s, 64); err == nil && n != 0 && !math.IsInf(n, 0) && !math.IsNaN(n) {
		return 0, badValue("write "+s+"s for seconds or "+s+"ms for milliseconds", "duration %q has no unit", s)
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return 0, badValue(fix, "%q is no duration", s)
	case d < 0:
		return 0, badValue(fix, "duration %q is negative", s)
	}
	return d, nil
}

// parseLimit reads a bound on a stream. None is written by leaving it out.
func parseLimit(s string) (time.Duration, error) {
	d, err := parseDuration(s)
	if err == nil && d == 0 {
		return 0, badValue("write it like 500ms or 10s", "a limit of %s ends every stream at once", s)
	}
	return d, err
}

// per lists the units of time that a rate may name.
var per = map[string]time.Duration{
	"s": time.Second, "sec": time.Second, "second": time.Second,
	"m": time.Minute, "min": time.Minute, "minute": time.Minute, "h": time.Hour, "hour": time.Hour,
}

// parseRate reads "20/s", "1200/m" or a bare number of streams per second.
func parseRate(s string) (float64, error) {
	const fix = "write it like 20/s or 90/m"
	number, unit, ok := strings.Cut(s, "/")
	if !ok {
		unit = "s"
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	window := per[strings.TrimSpace(unit)]
	switch {
	case err != nil || window == 0 || n != n || n > 1e9:
		return 0, badValue(fix, "%q is no rate", s)
	case n <= 0:
		return 0, badValue("ask for more than 0, like 20/s", "rate %q sends no streams", s)
	}
	return n / window.Seconds(), nil
}

// units of sizes. The letters alone are left out: Docker's m is 2^20 bytes
// where others' M is 10^6.
var units = map[string]int64{
	"": 1, "b": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "kb": 1e3, "mb": 1e6, "gb": 1e9,
}

// parseSize reads "256MiB" or a bare number of bytes.
func parseSize(s string) (int64, error) {
	const fix = "write it like 256MiB or 1GiB"
	digits := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
	unit := strings.ToLower(strings.TrimSpace(s[len(digits):]))
	n, err := strconv.ParseFloat(digits, 64)
	factor, known := units[unit]
	switch {
	case err == nil && !known && units[unit+"ib"] != 0:
		return 0, badValue("write "+digits+strings.ToUpper(unit)+"iB for powers of 1024", "size %q has an unclear unit", s)
	case err != nil || !known || n != n || n*float64(factor) > 1<<50:
		return 0, badValue(fix, "%q is no size", s)
	case n <= 0:
		return 0, badValue(fix, "size %q is not more than 0", s)
	}
	return int64(n * float64(factor)), nil
}

func parseCount(s string) (int, error) {
	n, err := strconv.Atoi(s)
	switch {
	case err != nil:
		problem := "%q is no number"
		if errors.Is(err, strconv.ErrRange) {
			problem = "%q is too large"
		} else if _, err := strconv.ParseFloat(s, 64); err == nil {
			problem = "%q is not a whole number"
		}
		return 0, badValue("write a whole number", problem, s)
	case n < 1:
		return 0, badValue("ask for at least 1", "%d is too few", n)
	}
	return n, nil
}

func parsePort(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 65535 {
		return 0, badValue("name one from 1 to 65535", "%q is no port", s)
	}
	return n, nil
}

// words splits a command line as a shell does, without expanding anything.
func words(line string) ([]string, error) {
	out, err := settings.Words(line)
	switch {
	case err == nil:
		return out, nil
	case syntax.IsIncomplete(err):
		return nil, badValue("close it, or write the command as a list", "command has an open quote")
	}
	return nil, badValue(`quote it, or write the command as [sh, -c, "…"]`, "command needs a shell: %v", err)
}
