//go:build !nokubernetes

package main

import (
	"github.com/streamproof/streamproof/harness/stack/kube"
	"github.com/streamproof/streamproof/scenarios"
)

// The client of Kubernetes is most of what the program is made of: the build tag
// nokubernetes leaves it out.
func init() { scenarios.Kubernetes, scenarios.KubernetesFleet = kube.New, kube.NewFleet }
