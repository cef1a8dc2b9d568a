package origin

// A Sabotage is one way of breaking a stream. What it must be detected as stands in
// package scenarios, beside the scenarios that reveal it.
type Sabotage struct {
	Name string
	Doc  string // what the origin does, one sentence
	// Share is the part of the streams that is struck unless asked otherwise.
	Share float64

	hooks hooks
}

// Hooks are what a sabotage does to a stream, in place of what an honest one
// would do. Nil fields leave it honest.
type hooks struct {
	head   func(*reply) error      // the response's head
	event  func(*reply, int) error // event K, which is prepared in next
	end    func(*reply) error      // the terminal and the end of the body
	silent bool                    // no heartbeats
	accel  bool                    // leaves X-Accel-Buffering out
}

const third = 1.0 / 3

// Sabotages are all ways of breaking a stream: first those that a well-formed
// response can hide, then those of the wire.
var Sabotages = []Sabotage{
	{Name: "silent-truncation", Doc: "stops after half of the events and ends the body properly, without the terminal",
		Share: third, hooks: hooks{event: truncate}},
	{Name: "cut-in-frame", Doc: "stops inside an event and ends the body properly",
		Share: third, hooks: hooks{event: cutInFrame}},
	{Name: "in-band-error", Doc: "sends an error event in place of the rest and ends the body properly",
		Share: third, hooks: hooks{event: failInBand}},
	{Name: "error-then-terminal", Doc: "sends an error event and then the terminal, as if all were well",
		Share: third, hooks: hooks{event: failThenSucceed}},
	{Name: "stall", Doc: "falls silent for ever and keeps the connection open",
		Share: third, hooks: hooks{event: stall}},
	{Name: "buffering", Doc: "keeps all events and heartbeats back and releases them in one burst at the end",
		Share: third, hooks: hooks{head: holdBack, end: release}},
	{Name: "no-accel-header", Doc: "leaves out X-Accel-Buffering: no, so that an edge with its defaults buffers",
		Share: third, hooks: hooks{accel: true}},
	{Name: "lost-event", Doc: "leaves one event out",
		Share: third, hooks: hooks{event: lose}},
	{Name: "duplicated-event", Doc: "sends one event twice",
		Share: third, hooks: hooks{event: duplicate}},
	{Name: "reordered-events", Doc: "exchanges one event and the next",
		Share: third, hooks: hooks{event: reorder}},
	{Name: "foreign-event", Doc: "sends an event of another stream in place of its own",
		Share: third, hooks: hooks{event: confuse}},
	{Name: "corrupt-byte", Doc: "changes one byte of one event's text, so that the checksum does not hold",
		Share: third, hooks: hooks{event: corrupt}},
	{Name: "open-socket", Doc: "sends all events but no terminal, and keeps the connection open",
		Share: third, hooks: hooks{end: (*reply).hang}},
	{Name: "linger", Doc: "sends everything and the terminal, but ends neither the body nor the connection",
		Share: third, hooks: hooks{end: linger}},
	{Name: "terminal-twice", Doc: "sends the terminal twice",
		Share: third, hooks: hooks{end: endTwice}},
	{Name: "no-heartbeat", Doc: "sends no heartbeats; where the answer has no pause of its own it is silent for the " +
		"time of delay",
		Share: third, hooks: hooks{event: fallSilent, silent: true}},
	{Name: "slow-first-event", Doc: "sends the head at once and the first event only after the time of delay",
		Share: third, hooks: hooks{head: thinkFirst}},
	{Name: "leak", Doc: "goes on producing after the client has left",
		Share: 1, hooks: hooks{head: goDeaf, end: produceOn}},

	{Name: "http-error", Doc: "answers 503 with a JSON body",
		Share: third, hooks: hooks{head: refuse}},
	{Name: "no-headers", Doc: "reads the request and closes the connection",
		Share: third, hooks: hooks{head: hangUp}},
	{Name: "rst", Doc: "resets the connection after half of the events",
		Share: third, hooks: hooks{event: reset}},
	{Name: "incomplete-body", Doc: "closes the connection after half of the events, without the last chunk",
		Share: third, hooks: hooks{event: abandon}},
	{Name: "cut-in-chunk", Doc: "closes the connection inside a chunk",
		Share: third, hooks: hooks{event: cutInChunk}},
	{Name: "cut-in-chunk-header", Doc: "closes the connection inside the size of a chunk",
		Share: third, hooks: hooks{event: cutInChunkHeader}},
	{Name: "cut-before-last-crlf", Doc: "sends everything but the last CRLF of the body",
		Share: third, hooks: hooks{end: cutBeforeLastCRLF}},
	{Name: "rst-after-terminal", Doc: "resets the connection after the terminal, before the last chunk",
		Share: third, hooks: hooks{end: resetAfterTerminal}},
	{Name: "garbage-framing", Doc: "writes bytes where the size of a chunk should be",
		Share: third, hooks: hooks{event: garble}},
	{Name: "spliced-response", Doc: "writes a whole HTTP/1.1 500 response into the body",
		Share: third, hooks: hooks{event: splice}},
	{Name: "short-length", Doc: "declares a Content-Length and closes the connection before it is reached",
		Share: third, hooks: hooks{head: declareAll, event: fallShort, silent: true}},
	{Name: "long-length", Doc: "declares a Content-Length that ends after half of the events, and sends all",
		Share: third, hooks: hooks{head: declareSome, event: overrun, silent: true}},
	{Name: "close-delimited", Doc: "ends the body with the connection, after half of the events, without the terminal",
		Share: third, hooks: hooks{head: undelimited, event: truncate}},
}

// sabotage returns the entry of that name, nil if there is none.
func sabotage(name string) *Sabotage {
	for i := range Sabotages {
		if Sabotages[i].Name == name {
			return &Sabotages[i]
		}
	}
	return nil
}

func sabotageNames() []string {
	var names []string
	for i := range Sabotages {
		names = append(names, Sabotages[i].Name)
	}
	return names
}
