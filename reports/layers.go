package reports

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// A layersView sets the timeouts and buffers of all layers side by side: the
// shortest timeout of the chain is what ends a stream.
type layersView struct {
	Layers   []layerView
	Shortest string // a sentence, empty where no timeout is known
}

type layerView struct {
	Name     string
	Settings []setting
}

type setting struct {
	Name, Value string
	Shortest    bool
}

// ourLayer is the client: streamproof's own limits can cut streams, too.
const ourLayer = "client (streamproof)"

func layersOf(plan record.Plan, p record.Scenario) layersView {
	var v layersView
	if len(p.Layers) == 0 {
		return v
	}
	layers := p.Layers
	if len(plan.Limits) > 0 {
		layers = append([]record.Layer{{Name: ourLayer, Settings: plan.Limits}}, layers...)
	}
	shortest := time.Duration(0)
	var at *setting
	for _, l := range layers {
		lv := layerView{Name: l.Name, Settings: make([]setting, 0, len(l.Settings))}
		for _, k := range sortedKeys(l.Settings) {
			lv.Settings = append(lv.Settings, setting{Name: k, Value: l.Settings[k]})
			d := timeout(k, l.Settings[k])
			if d > 0 && l.Name != ourLayer && (at == nil || d < shortest) {
				shortest, at = d, &lv.Settings[len(lv.Settings)-1]
				v.Shortest = fmt.Sprintf("Shortest timeout behind the client: %s of %s, %s.", k, l.Name, short(d))
			}
		}
		v.Layers = append(v.Layers, lv)
	}
	if at != nil {
		at.Shortest = true
	}
	return v
}

// timeout reads a setting as a timeout: 0 if it is none, or is turned off. A bare
// number is in seconds, as nginx and gunicorn have it.
func timeout(name, value string) time.Duration {
	if !strings.Contains(name, "timeout") {
		return 0
	}
	if n, err := strconv.ParseFloat(value, 64); err == nil {
		return time.Duration(n * float64(time.Second))
	}
	d, err := time.ParseDuration(value)
	if err != nil {
		return 0
	}
	return d
}
