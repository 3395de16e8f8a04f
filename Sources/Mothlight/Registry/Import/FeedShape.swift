/// The four feeds of abuse.ch, each row by row (columns: sharing-evidence-law.md section 6.3, and the feeds' own headers).
enum FeedShape {
  /// Columns that tell a format from all others.
  static func recognise(_ columns: Set<String>) -> RegistryImport.Format? {
    func has(_ names: String...) -> Bool { names.allSatisfy(columns.contains) }
    if has("ioc_type"), columns.contains("ioc") || columns.contains("ioc_value") { return .threatfox }
    if has("url", "url_status") { return .urlhaus }
    if has("malware"), has("dst_ip", "dst_port") || has("ip_address", "port") { return .feodo }
    if has("sha1", "listingreason") || has("ja3_md5", "listingreason") || has("dstip", "dstport") { return .sslbl }
    return nil
  }

  static func row(_ row: FeedRow, _ format: RegistryImport.Format, _ origin: Origin) throws(FeedRow.Problem)
    -> RegistryImport.Row
  {
    var row = row
    var result =
      switch format {
      case .feodo: try feodo(&row, origin)
      case .threatfox: try threatfox(&row, origin)
      case .urlhaus: try urlhaus(&row, origin)
      default: try sslbl(&row, origin)
      }
    result.claim.extra = row.rest
    if let first = result.claim.firstSeen, let last = result.claim.lastSeen, last < first {
      result.claim.firstSeen = last
      result.claim.lastSeen = first
    }
    result.candidates = result.candidates.filter { !$0.isEmpty && $0.utf8.count <= BotnetName.octetsMost }
    if let address = result.claim.indicator.address {
      let isPublic = !address.isPrivate && !address.isLinkLocal && address.isUnicastHost && !address.isReserved
      guard isPublic else { throw FeedRow.Problem("\(address) is no public address") }
    }
    // The claim is as old as what it says last, so that reading the same file later changes nothing.
    if let said = result.claim.lastSeen ?? result.claim.firstSeen { result.claim.origin.date = said }
    return result
  }

  private static func indicator(_ text: String, _ kind: Indicator.Kind) throws(FeedRow.Problem) -> Indicator {
    guard let value = Indicator.reading(text, as: kind) else {
      throw FeedRow.Problem("'\(text.prefix(80))' is no \(kind == .endpoint ? "address with a port" : kind.rawValue)")
    }
    return value
  }

  private static func need(_ value: String?, _ column: String) throws(FeedRow.Problem) -> String {
    guard let value else { throw FeedRow.Problem("no \(column)") }
    return value
  }

  private static func feodo(_ row: inout FeedRow, _ origin: Origin) throws(FeedRow.Problem) -> RegistryImport.Row {
    let ip = try need(row.take("ip_address", "dst_ip"), "address")
    let port = try need(row.take("port", "dst_port"), "port")
    let malware = row.take("malware") ?? ""
    let first = try row.takeTime("first_seen", "first_seen_utc")
    let last = try row.takeTime("last_online")
    let status = row.take("status", "c2_status")
    let text = ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
    let claim = IndicatorClaim(
      try indicator(text, .endpoint), role: .server, malware: malware, firstSeen: first, lastSeen: last,
      isOnline: status.map { $0.lowercased() == "online" }, origin: origin)
    return RegistryImport.Row(claim: claim, candidates: [malware], malpedia: nil, mayName: !malware.isEmpty)
  }

  private static func threatfox(_ row: inout FeedRow, _ origin: Origin) throws(FeedRow.Problem) -> RegistryImport.Row {
    let value = try need(row.take("ioc", "ioc_value"), "ioc")
    let type = try need(row.take("ioc_type"), "ioc_type")
    let kinds: [String: Indicator.Kind] = [
      "ip:port": .endpoint, "domain": .domain, "url": .url, "md5_hash": .hash, "sha1_hash": .hash,
      "sha256_hash": .hash, "sha3_384_hash": .hash, "envelope_from": .domain,
    ]
    guard let kind = kinds[type] else { throw FeedRow.Problem("ioc_type '\(type.prefix(40))' is not known here") }
    let role: IndicatorClaim.Role =
      switch row.take("threat_type") {
      case "botnet_cc": .server
      case "payload_delivery": kind == .hash ? .sample : .delivery
      case "payload": .sample
      default: .other
      }
    let malpedia = row.take("malware", "fk_malware")
    let printable = row.take("malware_printable")
    let aliases = row.take("malware_alias")?.split(separator: ",").map { trimmed($0) } ?? []
    let known = printable.flatMap { $0.lowercased().hasPrefix("unknown") ? nil : $0 }
    let confidence = row.take("confidence_level").flatMap { Int($0) }.flatMap { (0...100).contains($0) ? $0 : nil }
    let claim = IndicatorClaim(
      try indicator(value, kind), role: role, malware: known ?? "",
      firstSeen: try row.takeTime("first_seen", "first_seen_utc"),
      lastSeen: try row.takeTime("last_seen", "last_seen_utc"), confidence: confidence,
      reference: row.take("reference").map { String($0.prefix(Indicator.octetsMost)) }, origin: origin)
    return RegistryImport.Row(
      claim: claim, candidates: (known.map { [$0] } ?? []) + aliases,
      malpedia: known == nil ? nil : malpedia.map { $0.lowercased() }, mayName: known != nil)
  }

  private static func urlhaus(_ row: inout FeedRow, _ origin: Origin) throws(FeedRow.Problem) -> RegistryImport.Row {
    let url = try need(row.take("url"), "url")
    let status = row.take("url_status")
    let isOnline: Bool? = status == "online" ? true : status == "offline" ? false : nil
    let tags = row.take("tags")?.split(separator: ",").map { trimmed($0) } ?? []
    let claim = IndicatorClaim(
      try indicator(url, .url), role: .delivery, malware: "",
      firstSeen: try row.takeTime("dateadded", "date_added"), lastSeen: try row.takeTime("last_online"),
      isOnline: isOnline, reference: row.take("urlhaus_link", "urlhaus_reference"), origin: origin)
    // A tag may be `elf` or `32-bit`: one that is no known name names nothing.
    if !tags.isEmpty { row.columns["tags"] = tags.joined(separator: ",") }
    return RegistryImport.Row(claim: claim, candidates: tags, malpedia: nil, mayName: false)
  }

  private static func sslbl(_ row: inout FeedRow, _ origin: Origin) throws(FeedRow.Problem) -> RegistryImport.Row {
    let indicator: Indicator
    var role = IndicatorClaim.Role.print
    if let sha1 = row.take("sha1") {
      indicator = try self.indicator(sha1, .certificate)
    } else if let ja3 = row.take("ja3_md5") {
      indicator = try self.indicator(ja3, .ja3)
    } else {
      let ip = try need(row.take("dstip"), "address")
      let port = try need(row.take("dstport"), "port")
      indicator = try self.indicator(ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)", .endpoint)
      role = .server
    }
    let reason = row.take("listingreason") ?? ""
    let malware = malware(ofReason: reason)
    let claim = IndicatorClaim(
      indicator, role: role, malware: malware ?? "", firstSeen: try row.takeTime("listingdate", "firstseen"),
      lastSeen: try row.takeTime("lastseen"), reference: reason.isEmpty ? nil : reason, origin: origin)
    return RegistryImport.Row(
      claim: claim, candidates: malware.map { [$0] } ?? [], malpedia: nil, mayName: malware != nil)
  }

  /// `Dridex C&C` is Dridex; `malware distribution` and the like name nobody.
  static func malware(ofReason reason: String) -> String? {
    for ending in [" C&C", " C2", " malware C&C", " botnet C&C"] where reason.hasSuffix(ending) {
      let name = trimmed(Substring(reason.dropLast(ending.utf8.count)))
      let vague = ["malware", "botnet", "generic", "unknown", "malware distribution"]
      return name.isEmpty || vague.contains(name.lowercased()) ? nil : name
    }
    return nil
  }

  static func trimmed(_ text: Substring) -> String {
    var text = text.drop { $0 == " " }
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
