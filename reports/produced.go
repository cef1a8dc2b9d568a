package reports

// producedLine sets what the app says that it finished beside what clients got, of the
// worst scenario whose causes know. It stands at the top: whether to look at the app
// or at what stands in front of it is the first question.
func producedLine(in Input) string {
	all := worstFirst(in.scenarios())
	for _, s := range all {
		causes, _ := blamed(s)
		for _, c := range causes {
			switch {
			case c.Produced == nil:
			case len(all) > 1:
				return s.ID + ": " + production(c.Produced)
			default:
				return production(c.Produced)
			}
		}
	}
	return ""
}
