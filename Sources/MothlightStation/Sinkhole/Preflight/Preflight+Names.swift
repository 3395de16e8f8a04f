import Mothlight

extension Preflight {
  /// Some findings of one kind in full, then their number.
  private struct Tally {
    let severity: Finding.Severity
    private(set) var count = 0

    init(_ severity: Finding.Severity) { self.severity = severity }

    mutating func add(_ line: Int, _ words: @autoclosure () -> String, _ report: inout Report) {
      count += 1
      if count <= Bound.each { report.add(severity, line, words()) }
    }

    func close(_ words: String, _ report: inout Report) {
      if count > Bound.each { report.add(severity, 0, "\(count - Bound.each) more names \(words)") }
    }
  }

  /// Names that are public suffixes, that two orders claim at once, or that are given twice.
  func checkNames(_ file: ZoneFile, _ names: NameSet, _ report: inout Report) {
    if names.count < file.nameCount {
      report.add(
        .warning, 0, "\(file.nameCount - names.count) names are given twice by the same order; each is served once")
    }
    var suffix = Tally(.error)
    var overlap = Tally(.warning)
    var findings = report
    names.visit { name, number, kind in
      let order = file.orders[number]
      let (length, labels) = NameSet.extent(name)
      let text = { DomainName.text(of: UnsafeRawBufferPointer(start: name, count: length)) }
      if labels <= Bound.suffixLabels, suffixes.registeredDomain(text()) == nil {
        let words = kind == .zone ? "is a public suffix" : "is a public suffix: every registrant below it would be hit"
        suffix.add(order.line, "'\(text())' \(words)", &findings)
      }
      let other = names.order(of: name, length: length, hash: NameHash.of(name), as: kind) { candidate in
        let other = file.orders[candidate]
        return candidate < number && other.start < order.end && order.start < other.end
      }
      if let other {
        overlap.add(
          order.line, "'\(text())' is in the order of line \(file.orders[other].line) too, at the same time", &findings)
      }
    }
    suffix.close("are public suffixes", &findings)
    overlap.close("are in two orders at the same time", &findings)
    report = findings
  }

  /// Names of an operator's list that would be answered for. Generated names meet innocent ones (Le Pochat et al., NDSS
  /// 2020), so a human has to look.
  func checkBenign(_ path: String, _ file: ZoneFile, _ names: NameSet, _ report: inout Report) throws(ZoneFile.Problem)
  {
    var hit = Tally(.warning)
    var findings = report
    try FileOctets.lines(path) { line, _ in
      // A list of popular sites may have ranks before the names.
      let text = String(decoding: line, as: UTF8.self).split(separator: ",").last ?? ""
      guard let word = text.split(whereSeparator: \.isWhitespace).first, !word.hasPrefix("#"),
        let name = try? DomainName(word), let order = names.covering(name)
      else { return }
      hit.add(file.orders[order].line, "'\(name)' is on the list of benign names and would be answered for", &findings)
    }
    hit.close("on the list of benign names would be answered for", &findings)
    report = findings
  }
}

extension NameSet {
  /// The first order, served or not, that would answer for the name.
  func covering(_ name: DomainName) -> Int? {
    var rest: DomainName? = name
    var isWhole = true
    while let present = rest, present.octets.count > 1 {
      let found: Int? = present.octets.withUnsafeBufferPointer { octets in
        guard let start = octets.baseAddress else { return nil }
        let hash = NameHash.of(start)
        if let order = order(of: start, length: octets.count, hash: hash, as: .zone, where: { _ in true }) {
          return order
        }
        return isWhole ? nil : order(of: start, length: octets.count, hash: hash, as: .parent, where: { _ in true })
      }
      if let found { return found }
      isWhole = false
      rest = present.parent
    }
    return nil
  }
}
