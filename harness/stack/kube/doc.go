// Package kube is the stack of an app that runs on Kubernetes already: the pods of a
// Deployment or a StatefulSet, behind their Service.
//
//		client ─▶ edge link ─▶ forwarder ─▶ API server ─▶ kubelet ─▶ a ready pod
//
//	 1. [Opener.Check] reads the workload, its Service and its pods, and what may be done
//	    to them, before anything is written.
//	 2. [Opener.Open] waits until the workload is healthy, with as many pods as the
//	    scenario asks for, and listens on loopback.
//	 3. The forwarder stands for the Service: each connection goes to one of the pods that
//	    the Service's EndpointSlices call ready at that moment, through the API server's
//	    port-forward, so that it needs no network of the cluster. What that hides is
//	    told as a layer: kube-proxy, ingresses and load balancers are not in the way.
//	 4. Replicas are pods, numbered as they appear. Everything that happens to them is
//	    seen by watches, told through [stack.Spec.Notify], and kept as the log
//	    kubernetes.json, in the form of kubectl get --watch --output-watch-events -o json.
//	 5. What is done to pods is done by the API: eviction, deletion, a rollout, another
//	    number of replicas, a command in a container.
//	 6. Close gives back the number of replicas, and a node that was drained. Both are kept
//	    as annotations of the workload while they differ, so that the next start gives
//	    them back where this one was killed.
//
// A [Fleet] has pods send the load. To an app in the same cluster they send it by the
// Service's own address, past the forwarder.
//
// Of client-go it takes what logs in and what upgrades connections. Objects are read as
// JSON, only the members that are used ([object]): the types of k8s.io/api would add
// 7 MB to the program, and the typed clients, which know every API group, 29 MB.
package kube
