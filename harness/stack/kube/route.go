package kube

import (
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"
)

// A route is where the Service sends new connections, as its EndpointSlices say.
type route struct {
	port string // name of the Service's port

	mu     sync.Mutex // guards what follows
	slices map[string]object
	turn   int
}

// A target is a pod that connections may go to.
type target struct {
	pod, addr string
	port      int
	ready     bool // else it is on its way out, and still serves
}

// Addr is how replicas are told apart.
func (t target) Addr() string { return net.JoinHostPort(t.addr, strconv.Itoa(t.port)) }

// update takes in an EndpointSlice; gone says that it has been deleted. It returns the
// pods that new connections go to since then, and those they went to until then.
func (r *route) update(o object, gone bool) (came, went []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.ready()
	if gone {
		delete(r.slices, o.Metadata.Name)
	} else {
		r.slices[o.Metadata.Name] = o
	}
	after := r.ready()
	for _, p := range slices.Sorted(maps.Keys(after)) {
		if !before[p] {
			came = append(came, p)
		}
	}
	for _, p := range slices.Sorted(maps.Keys(before)) {
		if !after[p] {
			went = append(went, p)
		}
	}
	return came, went
}

// only forgets the slices that are not among names, after a gap in what was told.
func (r *route) only(names map[string]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.slices, func(name string, _ object) bool { return !names[name] })
}

// ready are the pods that new connections go to. r.mu is held.
func (r *route) ready() map[string]bool {
	pods := map[string]bool{}
	for _, t := range r.targets() {
		pods[t.pod] = true
	}
	return pods
}

// each yields the endpoints that are pods, whether they take connections or not, in the
// order of their slices. r.mu is held.
func (r *route) each(yield func(target, *endpoint) bool) {
	for _, name := range slices.Sorted(maps.Keys(r.slices)) {
		o := r.slices[name]
		n := slices.IndexFunc(o.Ports, func(p port) bool { return p.Name == r.port })
		if n < 0 {
			continue
		}
		for i := range o.Endpoints {
			e := &o.Endpoints[i]
			if len(e.Addresses) == 0 || e.TargetRef == nil || e.TargetRef.Kind != "Pod" {
				continue
			}
			t := target{pod: e.TargetRef.Name, addr: e.Addresses[0], port: o.Ports[n].Port,
				ready: can(e.Conditions.Ready, true)}
			if !yield(t, e) {
				return
			}
		}
	}
}

// of is where a pod is reached, ready or not.
func (r *route) of(pod string) (target, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for t := range r.each {
		if t.pod == pod {
			return t, true
		}
	}
	return target{}, false
}

// any is one of the pods, ready or not; false where there is none.
func (r *route) any() (target, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for t := range r.each {
		return t, true
	}
	return target{}, false
}

// targets are where new connections go: pods that are ready, or where there is none those
// that are being ended and still serve, as kube-proxy has it. r.mu is held.
func (r *route) targets() []target {
	var ready, ending []target
	for t, e := range r.each {
		switch {
		case t.ready:
			ready = append(ready, t)
		case can(e.Conditions.Serving, false) && can(e.Conditions.Terminating, false):
			ending = append(ending, t)
		}
	}
	if len(ready) == 0 {
		return ending
	}
	return ready
}

// pick is where the next connection goes; false where no pod takes it. The pods take
// turns, so that few streams still meet all of them.
func (r *route) pick() (target, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.targets()
	if len(all) == 0 {
		return target{}, false
	}
	r.turn++
	return all[r.turn%len(all)], true
}

// has reports whether new connections still go to a pod.
func (r *route) has(t target) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.targets(), t)
}
