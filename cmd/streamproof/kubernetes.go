//go:build !nokubernetes

package main

import (
	"github.com/streamproof/streamproof/harness/stack/kube"
	"github.com/streamproof/streamproof/scenarios"
)

// The build tag nokubernetes leaves the client of Kubernetes out, a tenth of the program.
func init() { scenarios.Kubernetes, scenarios.KubernetesFleet = kube.New, kube.NewFleet }
