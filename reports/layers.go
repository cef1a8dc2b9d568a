package reports

import (
	"fmt"

	"github.com/streamproof/streamproof/harness/lint"
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
	smallest := lint.Smallest(lint.Timers(p.Layers, nil))
	if smallest != nil {
		v.Shortest = fmt.Sprintf("What ends a stream first: %s of %s, after %s.", smallest.Setting, smallest.Layer,
			short(smallest.Limit))
	}
	for _, l := range layers {
		lv := layerView{Name: l.Name, Settings: make([]setting, 0, len(l.Settings))}
		for _, k := range sortedKeys(l.Settings) {
			first := smallest != nil && (k == smallest.Setting && l.Name == smallest.Layer || k == smallest.Layer+"."+
				smallest.Setting)
			lv.Settings = append(lv.Settings, setting{Name: k, Value: l.Settings[k], Shortest: first})
		}
		v.Layers = append(v.Layers, lv)
	}
	return v
}
