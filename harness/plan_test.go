package harness

import "testing"

func TestShapeFillsThePath(t *testing.T) {
	app := App{URL: "http://127.0.0.1:1", Stream: Stream{Path: "/chat?n={events}&gap={gap}&pause={pause}&at={pause_at}"}}
	if !app.shaped() {
		t.Error("a path with {gap} takes no shape")
	}
	if got, want := (Shape{}).fill(app.Path()), "/chat?n=20&gap=50ms&pause=0s&at=0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s := Shape{Events: 3, Gap: 1e6, Pause: 3e9, PauseAt: 2}
	if got, want := s.fill(app.Path()), "/chat?n=3&gap=1ms&pause=3s&at=2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestShapeBecomesQuery(t *testing.T) {
	var p Plan
	sc := Scenario{Shape: Shape{Events: 8, Gap: 5e7, Pause: 3e9, PauseAt: 4}}
	if got, want := p.Target(sc), "/stream?events=8&gap=50ms&pause=3s&pause_at=4"; got != want {
		t.Errorf("target = %q, want %q", got, want)
	}
	if got, want := p.Sabotaged(sc, "lost-event"), "/stream?events=8&gap=50ms&pause=3s&pause_at=4&sabotage=lost-event"; got != want {
		t.Errorf("sabotaged = %q, want %q", got, want)
	}
}
