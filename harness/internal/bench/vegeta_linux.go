package main

import (
	"encoding/json"
	"io"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// vegetaPart is Vegeta as it comes, told to keep no body.
func vegetaPart(args []string, stdout io.Writer) error {
	addr, l, err := partFlags(args)
	if err != nil {
		return err
	}
	a := vegeta.NewAttacker(vegeta.Timeout(0), vegeta.MaxBody(0), vegeta.Workers(uint64(l.Streams)),
		vegeta.MaxWorkers(uint64(l.Streams)), vegeta.KeepAlive(false))
	target := vegeta.NewStaticTargeter(vegeta.Target{Method: "GET", URL: "http://" + addr + l.path()})
	var c counted
	for r := range a.Attack(target, ramp(l), 0, "") {
		if r.Code == 200 && r.Error == "" {
			c.Whole++
		}
	}
	return json.NewEncoder(stdout).Encode(c)
}

// A ramp is a pacer that starts each stream once, within the load's ramp.
type ramp load

// Pace implements vegeta.Pacer.
func (r ramp) Pace(elapsed time.Duration, hits uint64) (time.Duration, bool) {
	return time.Duration(hits)*r.Ramp/time.Duration(r.Streams) - elapsed, hits == uint64(r.Streams)
}

// Rate implements vegeta.Pacer.
func (r ramp) Rate(time.Duration) float64 {
	return float64(r.Streams) / max(r.Ramp, time.Millisecond).Seconds()
}
