extension CensusDigest {
  /// What section 8 of the method asks to stand beside a number, as names and sentences.
  var grounds: [(name: String, text: String)] {
    let b = report.basis
    let share = ReportWords.quantity
    var out: [(String, String)] = [
      ("window", CensusWords.window(report.hours)),
      ("evidence", CensusWords.grade(report.footprint.grade) + "; live: \(CensusWords.grade(liveGrade))"),
      (
        "stable networks",
        "\(ReportWords.grouped(b.anchors)) with \(share(b.anchorShare, "share")) of the tags"
      ),
      (
        "shared addresses",
        "\(CensusWords.label(b.sharing)); \(ReportWords.decimals(b.machinesPerAddress, 2)) machines for an address in an hour; "
          + "\(share(b.sharedShare, "share")) of the tags in shared networks"
      ),
      ("seen of the live", share(b.visibility, "share")),
      ("dropped", droppedWords.replacing("dropped: ", with: "")),
      ("sensors", isPublic ? ReportWords.grouped(report.sensors.count) : report.sensors.joined(separator: ", ")),
    ]
    let silent = b.silentHours.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
    out.append(
      (
        "silent hours",
        silent.isEmpty
          ? "none"
          : silent.map { "\($0.key): \(ReportWords.count($0.value.count, "hour", "hours"))" }.joined(separator: ", ")
      ))
    if let seconds = b.checkInSeconds { out.append(("check-in", "every \(ReportWords.duration(seconds))")) }
    out.append(
      (
        "identities last",
        b.identityLifeHours.map { ReportWords.duration($0 * 3600) + " (median)" } ?? "no identity in the protocol"
      ))
    out.append(("kept of the tags", b.theta >= 1 ? "all" : share(b.theta, "share") + ", chosen by hash"))
    return out
  }
}

extension CensusEdition.Hidden {
  /// What is hidden, in words.
  var words: String {
    var parts: [String] = []
    if countries > 0 { parts.append(ReportWords.count(countries, "country", "countries")) }
    if liveOfCountries > 0 { parts.append("the live machines of \(ReportWords.grouped(liveOfCountries)) more") }
    if networks > 0 { parts.append("all networks") }
    if hours > 0 { parts.append(ReportWords.count(hours, "hour", "hours")) }
    if days > 0 { parts.append(ReportWords.count(days, "figure of a day", "figures of days")) }
    return parts.isEmpty ? "nothing" : parts.joined(separator: ", ")
  }
}
