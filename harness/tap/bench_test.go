package tap_test

func benchChild() bool { return false }
