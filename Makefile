# Two commands do everything on a fresh machine: make run, make test.
export CGO_ENABLED ?= 1
# A program with the race detector sleeps for a second before it exits. Ours start
# thousands of others, which are built like them.
export GORACE ?= atexit_sleep_ms=0
GO ?= go

# The packages whose tests play whole runs in bubbles of testing/synctest, and
# nothing else. Those of ./scenarios that do are called TestInMemory…. The tests of
# ./harness/trend and ./harness/compare are arithmetic alone, for which the race detector takes 30 times as long.
BUBBLES := ./harness/fleet ./harness/play ./harness/stack/memory ./harness/trend ./harness/compare

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: run
run: ## the main job: the standard suite on the built-in server, then an HTML report
	@$(GO) build -o bin/streamproof ./cmd/streamproof
	@bin/streamproof run --allow-unable

.PHONY: build
build: ## build bin/streamproof and bin/origin
	$(GO) build -o bin/ ./cmd/...

.PHONY: setup
setup: ## install what the tests need and the host lacks
	@.ci/setup

.PHONY: test
test: setup trials ## all tests, with the race detector where it can bear them; those of containers where there is Docker
	@if docker info >/dev/null 2>&1; then docker/build.sh; else echo "no Docker here: the tests of containers skip"; fi
	@BUBBLES="$(BUBBLES)" .ci/test

# A bubble of synctest with the timers of whole runs in it crashes the race detector of
# Go 1.26 now and then (golang.org/issue/78156). What is tested in bubbles alone goes
# without it; the same code runs under it in cmd and scenarios, on real stacks.
.PHONY: norace bubbles crowd prose
norace: bubbles crowd prose ## what the race detector does not bear: whole runs in memory, a crowd of 2,000 streams, types of all source
bubbles:
	$(GO) test $(BUBBLES)
crowd:
	$(GO) test -run '^(TestInMemory|TestEndingsAreToldApartInACrowd$$)' ./scenarios
prose:
	$(GO) test -run '^TestNobody(ReadsProse|ElseMakesSentences)$$' ./harness/record

.PHONY: purity
purity: ## judge one record 1,000 times: one answer, byte for byte (with the race detector 20 times)
	$(GO) test -run '^TestPurity$$' ./harness/diagnose

.PHONY: trials
trials: ## which trial of which scenario runs in make test, and which in make nightly
	@$(GO) test -count 1 -v -run '^TestEveryScenarioHasItsTrial$$' ./scenarios

.PHONY: lint
lint: ## gofmt, vet, staticcheck; then the figures of the tree, which judge nothing
	@bad=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$bad" ]; then echo "gofmt would change:"; echo "$$bad"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool -modfile=.github/tools.mod staticcheck ./...
	-@$(GO) run ./harness/internal/measure

.PHONY: ten
ten: ## make test ten times, with a table of times and failures (RUNS=n, BUSY=1 or half, FRESH=1, COLD=1; see .ci/ten)
	@.ci/ten $(or $(RUNS),10)

.PHONY: vuln
vuln: ## known vulnerabilities in what the program is made of (needs the list of vuln.go.dev)
	$(GO) tool -modfile=.github/tools.mod govulncheck ./cmd/...

.PHONY: bench
bench: ## whole processes beside a bare epoll reader and plain Vegeta, as a table (about 10 min; quiet machine; STREAMS=n, THROUGH=n, CROWD=n; ONLY=run,strike measures these arms and their floors)
	@$(GO) build -o bin/ ./cmd/streamproof ./harness/internal/bench
	@ulimit -n $$(ulimit -Hn); bin/bench -binary bin/streamproof -streams $(or $(STREAMS),5000) -through $(or $(THROUGH),1000) $(if $(CROWD),-crowd $(CROWD)) $(if $(ONLY),-only $(ONLY))

.PHONY: bench-compare
bench-compare: ## how often compare is right: pairs of equal builds, slower ones, and ones that cut streams (about 8 min; quiet machine; PAIRS=n, SEED=n)
	@$(GO) build -o bin/ ./cmd/streamproof ./cmd/origin ./harness/internal/benchcompare
	@bin/benchcompare -pairs $(or $(PAIRS),20) -seed $(or $(SEED),1)

.PHONY: nights
nights: ## thirty nights by real runs: is the trend read rightly, and does the page say so? (about 8 min; SEED=n; page: runs/nights/nights.html)
	@$(GO) build -o bin/ ./cmd/streamproof ./harness/internal/nights
	@rm -rf runs/nights; bin/nights -seed $(or $(SEED),1)
	@$(GO) test -count 1 -run '^TestHistoryPageInBrowser$$' ./reports -nights $(CURDIR)/runs/nights/nights.db

.PHONY: microbench
microbench: ## single parts: tap, hops, containers, formats, judging, rendering (about 6 min; quiet machine)
	@ulimit -n $$(ulimit -Hn); $(GO) test -run '^$$' -bench Streams -benchtime 1x -timeout 30m ./harness/tap
	@$(GO) test -run '^$$' -bench Neutrality -benchtime 1x ./harness/stack/process
	@$(GO) test -run '^$$' -bench 'StackUp|Hops' -benchtime 5x ./harness/stack/container
	@$(GO) test -run '^$$' -bench 'Feed|Response|SSE|NDJSON|Origin|OpenAI|Begin|Open$$' -benchmem ./harness/tap ./harness/http1 ./harness/stream ./harness/record
	@$(GO) test -run '^$$' -bench Report10000x100 -benchtime 3x -benchmem ./reports

.PHONY: demo
demo: setup ## plain Vegeta and streamproof on the same killed streams, side by side
	@$(GO) run ./cmd/demo

.PHONY: images
images: ## have every image of the Docker stack on this machine: pulled, or built here
	@docker/build.sh

.PHONY: kube
kube: images ## a real cluster of two nodes on this machine (docker/kube, as root), and what happens to streams there (about 13 min); STREAMPROOF_KUBE=CONTEXT uses yours instead
	@if [ -n "$$STREAMPROOF_KUBE" ]; then exec $(GO) test -count 1 -timeout 20m -v -run '^TestCluster' ./harness/stack/kube; fi; \
	trap 'docker/kube/down' EXIT; docker/build.sh streamproof && \
	KUBECONFIG=$$(docker/kube/up streamproof/origin:dev streamproof/fastapi:dev streamproof/streamproof:dev) && export KUBECONFIG STREAMPROOF_KUBE=streamproof && \
	$(GO) test -count 1 -timeout 20m -v -run '^TestCluster' ./harness/stack/kube

.PHONY: sdks
sdks: ## the clients of OpenAI, Anthropic, Google, Cohere, AWS and Ollama, and servers of others, against the dialects
	@cd harness/stream/sdktest && $(GO) test -count 1 ./...

.PHONY: nightly
nightly: setup images trials sdks ## every trial on real stacks, eight ordinary apps three times, the article; prints the flake rate
	@STREAMPROOF_REQUIRE_DOCKER=1 .ci/nightly

.PHONY: accuracy
accuracy: ## how often the diagnosis is right: randomised runs, a confusion matrix (about 4 min; quiet machine; ACCURACY=n runs, SEED=n)
	@$(GO) test -count 1 -timeout 3h -run '^TestAccuracy$$' ./scenarios -accuracy $(or $(ACCURACY),200) -seed $(or $(SEED),1)

.PHONY: strangers
strangers: setup ## how often the diagnosis is right about software that knows nothing of us (about 13 min; PLANTED=n, SOUND=n, SEED=n, MERGED=1 for one log of all as of docker compose)
	@$(GO) test -count 1 -timeout 3h -v -run '^TestStrangers$$' ./scenarios/strangers -planted $(or $(PLANTED),129) -sound $(or $(SOUND),75) -seed $(or $(SEED),1) $(if $(MERGED),-merged)

.PHONY: clean
clean: ## remove what was built and run
	rm -rf bin runs
