import Mothlight

/// One entry of `orders:`.
struct OrderDecoder {
  struct List {
    var path: String
    var line: Int
  }

  typealias Problem = YAMLNode.Problem

  let order: SeizureOrder
  let zones: [YAMLNode]
  let list: List?

  init(_ node: YAMLNode) throws(Problem) {
    var fields = try YAMLFields(node, "an order")
    guard let right = fields.take("authority") else {
      throw Problem(node.line, "no 'authority' with order, issuer and date")
    }
    let authority = try Self.authority(right)
    guard let family = try fields.text("family", most: 48) else { throw fields.missing("family") }
    let start = try Self.moment(try fields.required("start"), "start", isEnd: false)
    let endNode = try fields.required("end")
    let end = try Self.moment(endNode, "end", isEnd: true)
    guard end > start else { throw Problem(endNode.line, "'end' is not after 'start'") }
    guard Int64(authority.day) * 86_400 < end else {
      throw Problem(endNode.line, "'end' lies before the date of the authority")
    }
    guard Int64(authority.day) * 86_400 <= start else {
      throw Problem(right.line, "the authority is dated after 'start'")
    }
    let covers = try fields.word("subdomains", Choice.self) != .no
    let addresses = try fields.take("addresses").map { node throws(Problem) in try SinkAddresses(node) }
    let expiry = try fields.take("registration_expiry").map { node throws(Problem) in
      try Self.day(node, "registration_expiry")
    }
    zones = try fields.take("zones").map { node throws(Problem) in
      try YAMLFields.list(node, "zones", most: ZoneFile.Bound.names)
    } ?? []
    let line = fields.lineOf("zones_file")
    list = try fields.text("zones_file").map { List(path: $0, line: line) }
    try fields.finish()
    guard !zones.isEmpty || list != nil else { throw Problem(node.line, "an order lacks 'zones' and 'zones_file'") }
    order = SeizureOrder(
      authority: authority, family: family, start: start, end: end, coversSubdomains: covers, addresses: addresses,
      registrationExpiry: expiry, line: node.line)
  }

  private enum Choice: String, CaseIterable {
    case yes = "true"
    case no = "false"
  }

  private static func authority(_ node: YAMLNode) throws(Problem) -> SeizureOrder.Authority {
    var fields = try YAMLFields(node, "'authority'")
    guard let order = try fields.text("order", most: 120) else { throw fields.missing("order") }
    guard let issuer = try fields.text("issuer", most: 120) else { throw fields.missing("issuer") }
    let day = try day(try fields.required("date"), "date")
    try fields.finish()
    return .init(order: order, issuer: issuer, day: day)
  }

  static func day(_ node: YAMLNode, _ key: String) throws(Problem) -> Int {
    guard case .text(let text) = node.value, let day = CalendarText.day(text) else {
      throw Problem(node.line, "'\(key)' is not a day: YYYY-MM-DD")
    }
    return day
  }

  /// A day, which as an end is served to its last second, or a moment with `Z`.
  private static func moment(_ node: YAMLNode, _ key: String, isEnd: Bool) throws(Problem) -> Int64 {
    if case .text(let text) = node.value {
      if let day = CalendarText.day(text) { return Int64(day + (isEnd ? 1 : 0)) * 86_400 }
      if let second = CalendarText.second(text) { return second }
    }
    throw Problem(node.line, "'\(key)' is neither YYYY-MM-DD nor YYYY-MM-DDThh:mm:ssZ")
  }
}

extension SinkAddresses {
  init(_ node: YAMLNode) throws(YAMLNode.Problem) {
    var fields = try YAMLFields(node, "'addresses'")
    ipv4 = try Self.list(fields.take("ipv4"), "ipv4") { $0.isV4 }
    ipv6 = try Self.list(fields.take("ipv6"), "ipv6") { !$0.isV4 }
    try fields.finish()
    guard !ipv4.isEmpty || !ipv6.isEmpty else { throw .init(node.line, "'addresses' has neither ipv4 nor ipv6") }
  }

  private static func list(
    _ node: YAMLNode?, _ key: String, _ isRight: (IPAddress) -> Bool
  ) throws(YAMLNode.Problem) -> [IPAddress] {
    guard let node else { return [] }
    var found: [IPAddress] = []
    for item in try YAMLFields.list(node, key, most: Bound.each) {
      let text = try YAMLFields.text(item, key, most: 64)
      guard let address = IPAddress(text), isRight(address) else {
        throw .init(item.line, "'\(text)' is no address for '\(key)'")
      }
      guard !address.isUnspecified, !address.isMulticast, !found.contains(address) else {
        throw .init(item.line, "'\(text)' is no machine's address, or is given twice")
      }
      found.append(address)
    }
    return found
  }
}

/// Days and moments as text.
enum CalendarText {
  /// Days since the epoch of `YYYY-MM-DD`; `nil` for what is no day of the calendar.
  static func day(_ text: some StringProtocol) -> Int? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].utf8.count == 4, let year = digits(parts[0]), let month = pair(parts[1]),
      let day = pair(parts[2]), (1...12).contains(month), (1...31).contains(day)
    else { return nil }
    let days = CivilDate.daysSinceEpoch(year: year, month: month, day: day)
    let back = CivilDate.from(daysSinceEpoch: days)
    return back.year == year && back.month == month && back.day == day ? days : nil
  }

  /// Seconds since the epoch of `YYYY-MM-DDThh:mm:ssZ`.
  static func second(_ text: String) -> Int64? {
    let halves = text.split(separator: "T", omittingEmptySubsequences: false)
    guard halves.count == 2, halves[1].hasSuffix("Z"), let day = day(halves[0]) else { return nil }
    let parts = halves[1].dropLast().split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 3, let hour = pair(parts[0]), let minute = pair(parts[1]), let second = pair(parts[2]),
      hour < 24, minute < 60, second < 60
    else { return nil }
    return Int64(day * 86_400 + hour * 3600 + minute * 60 + second)
  }

  private static func pair(_ text: some StringProtocol) -> Int? { text.utf8.count == 2 ? digits(text) : nil }

  private static func digits(_ text: some StringProtocol) -> Int? {
    text.utf8.allSatisfy { $0 &- 0x30 < 10 } ? Int(text) : nil
  }
}
