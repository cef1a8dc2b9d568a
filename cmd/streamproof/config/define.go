package config

// A Define is a scenario of the user's own. What it leaves out is taken from the
// scenario that it extends.
type Define struct {
	ID       string   `yaml:"id" jsonschema:"required,pattern=^[a-z0-9][a-z0-9-]*$" jsonschema_description:"Names the scenario: small letters, digits and dashes."`
	Title    string   `yaml:"title,omitempty" jsonschema_description:"What is done, in a few words; the ID if absent."`
	Doc      string   `yaml:"doc,omitempty" jsonschema_description:"What it proves, in a sentence."`
	Extends  string   `yaml:"extends,omitempty" jsonschema_description:"A scenario to begin with: one of 'streamproof scenarios', or one defined above."`
	Load     Load     `yaml:"load,omitempty" jsonschema_description:"The load where the file and the command line name none."`
	Client   Client   `yaml:"client,omitempty" jsonschema_description:"What the victims' clients do; the others read to the end and ask once."`
	Edge     Edge     `yaml:"edge,omitempty" jsonschema_description:"The reverse proxy of this scenario; set up for streams if absent."`
	Replicas Count    `yaml:"replicas,omitempty" jsonschema_description:"The least number of instances of the app."`
	Workers  Count    `yaml:"workers,omitempty" jsonschema_description:"The least number of worker processes of our own origin."`
	Shape    Shape    `yaml:"shape,omitempty" jsonschema_description:"The answer asked of our own origin, and of apps whose path names {events}, {gap}, {pause} and {pause_at}."`
	Share    Share    `yaml:"share,omitempty" jsonschema_description:"The part of the streams that are victims. If absent half of them, or all where the fault hits a process, a replica or the edge; all leaves no control group."`
	Fault    *Fault   `yaml:"fault,omitempty" jsonschema_description:"What is done to the victims."`
	When     When     `yaml:"when,omitempty" jsonschema_description:"When the fault strikes; all that is named must hold. At once if absent."`
	Until    When     `yaml:"until,omitempty" jsonschema_description:"What ends the fault before its hold is over."`
	Hold     Duration `yaml:"hold,omitempty" jsonschema_description:"How long the fault stands; with neither until it stands until the streams are over."`
	Checks   Flags    `yaml:"checks,omitempty" jsonschema_description:"Flags that fail the scenario when a stream has them."`

	Thresholds Thresholds `yaml:"thresholds,omitempty" jsonschema_description:"Absolute times that fail this scenario."`
	Policy     Policy     `yaml:"policy,omitempty" jsonschema_description:"What the scenario may do to streams, and what it must have seen to prove anything."`
}

// A Client is what the victims' clients do.
type Client struct {
	Abort     Abort     `yaml:"abort,omitempty" jsonschema_description:"Hang up mid-stream."`
	Read      Reading   `yaml:"read,omitempty" jsonschema_description:"Read slowly."`
	Reconnect Reconnect `yaml:"reconnect,omitempty" jsonschema_description:"Ask for the rest when the stream is cut, with Last-Event-ID, as an EventSource does."`
	Retry     Retry     `yaml:"retry,omitempty" jsonschema_description:"Ask again when the request fails before its first event, with the same nonce, as client libraries do."`
}

// An Abort hangs up.
type Abort struct {
	AfterEvents Count    `yaml:"after_events,omitempty" jsonschema_description:"After so many events."`
	After       Duration `yaml:"after,omitempty" jsonschema_description:"So long after the request."`
}

// A Reading reads slowly.
type Reading struct {
	Rate   Size `yaml:"rate,omitempty" jsonschema_description:"Bytes per second."`
	Buffer Size `yaml:"buffer,omitempty" jsonschema_description:"Size of the receive buffer."`
}

// A Reconnect asks for the rest.
type Reconnect struct {
	Times    Count    `yaml:"times,omitempty" jsonschema_description:"At most so often."`
	Wait     Duration `yaml:"wait,omitempty" jsonschema_description:"Time before it; 100ms if absent. A retry field of the server takes precedence."`
	Together bool     `yaml:"together,omitempty" jsonschema_description:"All clients at the same moments, whole multiples of wait: a herd."`
}

// A Retry asks again.
type Retry struct {
	Times Count    `yaml:"times,omitempty" jsonschema_description:"At most so often."`
	Wait  Duration `yaml:"wait,omitempty" jsonschema_description:"Time before the first, twice as long before each next; 500ms if absent."`
}

// A Shape is the answer that is asked for.
type Shape struct {
	Events    Count    `yaml:"events,omitempty" jsonschema_description:"Events of an answer; 20 if absent."`
	Gap       Duration `yaml:"gap,omitempty" jsonschema_description:"Time between events; 50ms if absent."`
	Size      Size     `yaml:"size,omitempty" jsonschema_description:"Bytes of text in each event."`
	Pause     Duration `yaml:"pause,omitempty" jsonschema_description:"A silence after event pause_at."`
	PauseAt   Count    `yaml:"pause_at,omitempty"`
	Heartbeat Duration `yaml:"heartbeat,omitempty" jsonschema_description:"Time between heartbeats while silent."`
}

// A When is a condition on the streams in flight.
type When struct {
	Events     Count    `yaml:"events,omitempty" jsonschema_description:"Every victim has received so many events."`
	Streams    Count    `yaml:"streams,omitempty" jsonschema_description:"So many streams are in their body; on the replica, where one is named."`
	Replica    string   `yaml:"replica,omitempty" jsonschema_description:"The replica that streams is about, such as app[1]."`
	Heartbeats Count    `yaml:"heartbeats,omitempty" jsonschema_description:"So many heartbeats have been seen."`
	After      Duration `yaml:"after,omitempty" jsonschema_description:"So long after the streams began; for a part of a fault, after the part before."`
	Within     Duration `yaml:"within,omitempty" jsonschema_description:"How long to wait for it; 30s if absent. A condition that is not met leaves the scenario inconclusive."`
}

// A Fault is one fault with its parameters, or several that are combined.
type Fault struct {
	Type   FaultType `yaml:"type,omitempty" jsonschema_description:"What is done."`
	Link   Link      `yaml:"link,omitempty" jsonschema_description:"Where: edge is between client and edge, upstream between edge and app, upstream[1] that of one replica."`
	Delay  Duration  `yaml:"delay,omitempty" jsonschema_description:"Of latency, jitter, slow-start and slow-close; how long hold-at holds."`
	Jitter Duration  `yaml:"jitter,omitempty" jsonschema_description:"Of latency."`
	Rate   Size      `yaml:"rate,omitempty" jsonschema_description:"Of bandwidth, bytes per second."`
	Size   Size      `yaml:"size,omitempty" jsonschema_description:"Of the packets of slices."`
	Event  Count     `yaml:"event,omitempty" jsonschema_description:"The event behind which a stream is struck; before its first if absent."`
	Grace  Duration  `yaml:"grace,omitempty" jsonschema_description:"Of drain, between SIGTERM and SIGKILL; 10s if absent."`
	Gap    Duration  `yaml:"gap,omitempty" jsonschema_description:"Of bandwidth: the silence between two events by which it is known to be in effect."`

	When     When     `yaml:"when,omitempty" jsonschema_description:"When this part strikes."`
	Until    When     `yaml:"until,omitempty" jsonschema_description:"What ends this part."`
	Hold     Duration `yaml:"hold,omitempty" jsonschema_description:"How long this part stands; until the whole ends if absent."`
	All      Faults   `yaml:"all,omitempty" jsonschema_description:"Parts that strike at the same time."`
	Sequence Faults   `yaml:"sequence,omitempty" jsonschema_description:"Parts that strike one after the other."`
}

// A Policy says what a scenario may do to its streams.
type Policy struct {
	Kills      bool     `yaml:"kills,omitempty" jsonschema_description:"Processes or links are cut: a stream in the way may end with a cut that its client can notice."`
	Refuses    bool     `yaml:"refuses,omitempty" jsonschema_description:"New streams may be refused until recovery is over."`
	Sheds      bool     `yaml:"sheds,omitempty" jsonschema_description:"A clear refusal (status 400 and above) is an answer also without a fault."`
	Recovery   Duration `yaml:"recovery,omitempty" jsonschema_description:"Time in which new streams must be fine again; 10s if absent."`
	Gap        Duration `yaml:"gap,omitempty" jsonschema_description:"Silence after which a stream counts as stalled; 5s if absent."`
	MinInBody  Count    `yaml:"min_in_body,omitempty" jsonschema_description:"Victims that must be in their body when the fault strikes; 1 if absent."`
	MinStreams Count    `yaml:"min_streams,omitempty" jsonschema_description:"Streams that must be judged; 1 if absent."`
}
