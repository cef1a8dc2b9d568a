package record

// What becomes of keys of a compose file that streamproof does not use as Compose would.
// Place is the key with its path, "services.web.ports[0].published".
const (
	FactComposePorts    FactKind = "compose: ports are published by us"
	FactComposeNames    FactKind = "compose: names are ours"
	FactComposeNetwork  FactKind = "compose: the network is ours"
	FactComposeReplicas FactKind = "compose: the number of replicas is ours"
	FactComposeRestart  FactKind = "compose: restarts are ours"
	FactComposeLogs     FactKind = "compose: logs are kept by us"
	FactComposeImages   FactKind = "compose: images are pulled and built by us"
	FactComposeSwap     FactKind = "compose: no swap"
	FactComposeHealth   FactKind = "compose: health of the app is asked by us"
	FactComposeStop     FactKind = "compose: helpers are killed"
	FactComposeOwner    FactKind = "compose: owner and mode of a file"
	FactComposeSwarm    FactKind = "compose: for Swarm alone"
	FactComposeTools    FactKind = "compose: for other tools"
)
