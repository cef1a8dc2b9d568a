package stream

import "time"

// stamp reads a time as JSON has it (RFC 3339), in ns since the Unix epoch; 0 for
// none. Servers write one into every event, so the usual ones are read by hand:
//
//	"2026-11-25T08:00:00.25Z"
func stamp(raw []byte) int64 {
	if len(raw) < 2 || raw[0] != '"' {
		return 0
	}
	raw = raw[1 : len(raw)-1]
	if t, ok := plainStamp(raw); ok {
		return t
	}
	var t time.Time
	if t.UnmarshalText(raw) != nil {
		return 0
	}
	return t.UnixNano()
}

// plainStamp reads a time in UTC on one of the first 28 days of a month.
func plainStamp(b []byte) (ns int64, ok bool) {
	if len(b) < len("2026-11-25T08:00:00Z") || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' ||
		b[16] != ':' || b[len(b)-1] != 'Z' {
		return 0, false
	}
	ok = true
	two := func(i int) int64 {
		ten, one := b[i]-'0', b[i+1]-'0'
		ok = ok && ten <= 9 && one <= 9
		return int64(ten)*10 + int64(one)
	}
	year, month, day := two(0)*100+two(2), two(5), two(8)
	hour, minute, second := two(11), two(14), two(17)
	if !ok || year < 1970 || year > 2200 || month < 1 || month > 12 || day < 1 || day > 28 || hour > 23 || minute > 59 ||
		second > 59 {
		return 0, false
	}
	fraction := b[19 : len(b)-1]
	if len(fraction) == 1 || len(fraction) > 10 || len(fraction) > 0 && fraction[0] != '.' {
		return 0, false
	}
	unit := int64(time.Second)
	for i := 1; i < len(fraction); i++ {
		c := fraction[i] - '0'
		if c > 9 {
			return 0, false
		}
		unit /= 10
		ns += int64(c) * unit
	}
	days := daysBefore(year, month) + day - 1
	return ns + ((days*24+hour)*60+minute)*int64(time.Minute) + second*int64(time.Second), true
}

// daysBefore is the number of days from the Unix epoch to the first of a month. The
// year is taken to begin in March, so that the day that leap years add is its last
// (as in Howard Hinnant's days_from_civil).
func daysBefore(year, month int64) int64 {
	if month < 3 {
		year, month = year-1, month+12
	}
	const epoch = 719468 // days from 0000-03-01 to 1970-01-01
	return year*365 + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 - epoch
}
