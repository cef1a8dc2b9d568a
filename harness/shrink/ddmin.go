package shrink

import (
	"math"
	"slices"
)

// ddmin finds a part of n things that still fails, none of which can be left out alone:
// the algorithm of Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing
// Input", IEEE Transactions on Software Engineering 28 (2002), figure 2. All n of them are
// known to fail. Nothing at all is tried first, as most of what is left out matters in
// nothing. The error of fails ends it; what failed last is then returned beside it.
func ddmin(n int, fails func(kept []int) (bool, error)) ([]int, error) {
	kept := make([]int, n)
	for i := range kept {
		kept[i] = i
	}
	if n == 0 {
		return kept, nil
	}
	if yes, err := fails(nil); err != nil || yes {
		if yes {
			kept = nil
		}
		return kept, err
	}
	for chunks := 2; len(kept) >= 2; {
		next, yes, err := reduced(split(kept, chunks), fails)
		switch {
		case err != nil:
			return kept, err
		case yes == subset:
			kept, chunks = next, 2
		case yes == complement:
			kept, chunks = next, max(chunks-1, 2)
		case chunks >= len(kept):
			return kept, nil
		default:
			chunks = min(2*chunks, len(kept))
		}
	}
	return kept, nil
}

// How a set was reduced: to one of its chunks, to all but one, or not at all.
type reduction int

const (
	nowhere reduction = iota
	subset
	complement
)

// reduced tries each chunk alone, then all but each.
func reduced(chunks [][]int, fails func([]int) (bool, error)) ([]int, reduction, error) {
	for _, chunk := range chunks {
		if yes, err := fails(chunk); err != nil || yes {
			return chunk, subset, err
		}
	}
	if len(chunks) == 2 { // each is the complement of the other
		return nil, nowhere, nil
	}
	for i := range chunks {
		rest := slices.Concat(slices.Concat(chunks[:i]...), slices.Concat(chunks[i+1:]...))
		if yes, err := fails(rest); err != nil || yes {
			return rest, complement, err
		}
	}
	return nil, nowhere, nil
}

// split cuts a list into n chunks whose lengths differ by one at most.
func split(list []int, n int) (chunks [][]int) {
	for i := range n {
		chunks = append(chunks, list[i*len(list)/n:(i+1)*len(list)/n:(i+1)*len(list)/n])
	}
	return chunks
}

// least finds a small value between from and to that still fails, near enough to one
// beside it that does not: within width of each other, or neighbours where whole. to is
// known to fail. Small values are tried first, each twice the one before, since they
// cost least; so a failure that comes and goes with the value ends at the first place
// where it comes.
func least(from, to float64, whole bool, width float64, fails func(float64) (bool, error)) (float64, error) {
	round := func(x float64) float64 {
		if whole {
			return math.Round(x)
		}
		return x
	}
	well := math.NaN() // the largest value below that did not fail
	at := to
	for x := from; x < to; x = round(2 * x) {
		yes, err := fails(x)
		if err != nil {
			return to, err
		}
		if yes {
			at = x
			break
		}
		well = x
	}
	for !math.IsNaN(well) && !(whole && at-well <= 1) && (whole || at/well > 1+width) {
		x := round(math.Sqrt(at * well))
		if x <= well || x >= at {
			x = round((at + well) / 2)
		}
		if x <= well || x >= at {
			break
		}
		yes, err := fails(x)
		switch {
		case err != nil:
			return at, err
		case yes:
			at = x
		default:
			well = x
		}
	}
	return at, nil
}
