package diagnose

// A Remedy names what to do about causes of one kind. Package reports has it in words,
// for each product at the edge and for each language of an app.
type Remedy string

// At the edge.
const (
	EdgeUnbuffered   Remedy = "unbuffered"
	EdgeUncompressed Remedy = "uncompressed"
	EdgeIdle         Remedy = "idle"
	EdgeDeadline     Remedy = "deadline"
	EdgeCap          Remedy = "cap"
	EdgeCutter       Remedy = "cutter"
	EdgeHeader       Remedy = "header"
	EdgeReload       Remedy = "reload"
	EdgeConnections  Remedy = "connections"
	EdgeMarkDown     Remedy = "mark down"
	EdgeHonest       Remedy = "honest"
	EdgeAbort        Remedy = "abort"
)

// In the app.
const (
	AppRaised        Remedy = "raised"
	AppBlocked       Remedy = "blocked"
	AppLimit         Remedy = "limit"
	AppPool          Remedy = "pool"
	AppNoShutdown    Remedy = "no shutdown"
	AppGrace         Remedy = "grace"
	AppLeak          Remedy = "leak"
	AppStall         Remedy = "stall"
	AppProducer      Remedy = "producer"
	AppFirst         Remedy = "first"
	AppHeartbeat     Remedy = "heartbeat"
	AppResources     Remedy = "resources"
	AppFlush         Remedy = "flush"
	AppCompression   Remedy = "compression"
	AppSwallowed     Remedy = "swallowed"
	AppEnd           Remedy = "end"
	AppOwnIdle       Remedy = "own idle"
	AppDeadline      Remedy = "deadline"
	AppCap           Remedy = "cap"
	AppWorkerTimeout Remedy = "worker timeout"
	AppRecycled      Remedy = "recycled"
	AppMemory        Remedy = "memory"
	AppLength        Remedy = "length"
)

// A remedy is what to do about a cause, at the edge, in the app or at both.
// Either says that it is at one of them alone, once it is known where.
type remedy struct {
	edge, app Remedy // "" for nothing to do there
	either    bool
}

// remedyAtEdge is what to do at the edge, by its product.
func (v *view) remedyAtEdge(r Remedy) fact {
	return fact{Kind: MendAtEdge, Name: string(r), Place: string(v.edge.product)}
}

// remedyInApp is what to do in the app, by its language.
func (v *view) remedyInApp(r Remedy) fact {
	return fact{Kind: MendInApp, Name: string(r), Place: string(languageOf(v))}
}

// prescribe gives a finding the remedy of its cause. What a rule itself says stands for
// causes that have none, since they depend on what was seen.
func (v *view) prescribe(f *finding) {
	k, _ := Lookup(f.Cause.Cause)
	r := k.remedy
	if r.edge == "" && r.app == "" {
		return
	}
	var edge, app []fact
	if r.edge != "" {
		edge = []fact{v.remedyAtEdge(r.edge)}
	}
	if r.app != "" {
		app = []fact{v.remedyInApp(r.app)}
	}
	switch {
	case r.either && f.Layer == layerEdge:
		f.Mend = edge
	case r.either && (f.Layer == layerApp || f.Layer == layerManager):
		f.Mend = app
	case f.Layer == layerEdge, f.Layer == layerNetwork:
		f.Mend = append(edge, app...)
	default:
		f.Mend = append(app, edge...)
	}
	if f.Fact != nil && f.Fact.Kind == FactEdgeWorkerDied {
		f.Mend = []fact{{Kind: MendEdgeWorker, Name: v.edge.product.String()}}
	}
	if f.Cause.Cause == GraceTooShort && v.onKubernetes() {
		f.Mend = append([]fact{{Kind: MendPodGrace}}, f.Mend...)
	}
}
