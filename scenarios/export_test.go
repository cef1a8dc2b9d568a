package scenarios

// SetProgram says what is started as the origin and the guard.
func SetProgram(f func() (string, error)) { ourselves = f }
