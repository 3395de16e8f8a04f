import Crypto
import CryptoExtras

/// Shows rows of a store without addresses of ours: machines under pseudonyms, the same as `ReportAnonymiser` gives with the same key.
///
/// What leads back by trying is replaced, too: identifiers of findings are enciphered, and so are cursors, which hold addresses.
public struct Veil: Sendable {
  private let names: Pseudonyms
  private let anonymiser: ReportAnonymiser
  private let cipher: SymmetricKey
  private let seal: SymmetricKey
  private let nonces: SymmetricKey
  /// Our networks as they are known by now.
  private let home: @Sendable () -> [Prefix]

  /// - Parameters:
  ///   - key: `ReportAnonymiser.keyOctets` octets.
  ///   - home: our networks; hosts of rows and private addresses are ours in any case.
  public init(key: [UInt8], home: @escaping @Sendable () -> [Prefix]) throws(ConfigurationError) {
    anonymiser = try ReportAnonymiser(.pseudonyms, key: key)
    names = Pseudonyms(key: key)
    self.home = home
    let material = SymmetricKey(data: key)
    func derived(_ purpose: String, octets: Int) -> SymmetricKey {
      HKDF<SHA256>.deriveKey(inputKeyMaterial: material, info: Array(purpose.utf8), outputByteCount: octets)
    }
    cipher = derived("mothlight identifier", octets: 16)
    seal = derived("mothlight cursor", octets: 32)
    nonces = derived("mothlight cursor nonce", octets: 32)
  }

  public func standIn(for host: IPAddress) -> IPAddress { names.standIn(for: host) }

  /// An anonymiser to which `hosts` are ours, wherever they are.
  private func worker(_ hosts: [IPAddress] = []) -> ReportAnonymiser {
    var worker = anonymiser
    worker.home = home()
    worker.ours = Set(hosts)
    return worker
  }

  // MARK: Texts that are asked with

  public func isOurs(_ address: IPAddress) -> Bool { worker().isInternal(address) }

  /// Whether `text` asks about an address of ours, or about a piece of any address: an answer would tell whether it is there.
  public func asksForAddresses(_ text: String) -> Bool {
    let text = text.filter { !$0.isWhitespace }
    if let address = IPAddress(text), !text.contains("%") { return isOurs(address) }
    if Prefix(text) != nil { return true }
    let octets = Array(text.utf8)
    if octets.contains(0x2e), octets.allSatisfy({ $0 == 0x2e || 0x30...0x39 ~= $0 }) { return true }
    if octets.contains(0x3a), octets.allSatisfy({ $0 == 0x3a || hexDigit($0) != nil }) { return true }
    return self.text(text) != text
  }

  // MARK: Identifiers

  /// One block of AES: the same identifier always becomes the same one, and nobody without the key knows which.
  func covered(id: String) -> String {
    guard var block = Self.octets(id), (try? AES.permute(&block, key: cipher)) != nil else { return "" }
    return Hex.encode(block)
  }

  func uncovered(id: String) -> String {
    guard var block = Self.octets(id), (try? AES.inversePermute(&block, key: cipher)) != nil else { return "" }
    return Hex.encode(block)
  }

  private static func octets(_ id: String) -> [UInt8]? {
    let digits = id.utf8.compactMap(hexDigit)
    guard digits.count == 32, id.utf8.count == 32 else { return nil }
    return (0..<16).map { digits[2 * $0] << 4 | digits[2 * $0 + 1] }
  }

  // MARK: Cursors

  /// AES-GCM with a nonce made from the text: the same cursor is always written the same, so that pages keep their ETag.
  func covered(_ cursor: Cursor) -> Cursor? {
    let text = Array(cursor.text.utf8)
    let code = HMAC<SHA256>.authenticationCode(for: text, using: nonces)
    guard let nonce = try? AES.GCM.Nonce(data: Array(code.prefix(12))),
      let box = try? AES.GCM.seal(text, using: seal, nonce: nonce), let octets = box.combined
    else { return nil }
    return Cursor(Hex.encode(octets))
  }

  func uncovered(_ cursor: Cursor) -> Cursor? {
    let digits = cursor.text.utf8.compactMap(hexDigit)
    guard digits.count == cursor.text.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
    let octets = stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    guard let box = try? AES.GCM.SealedBox(combined: octets), let text = try? AES.GCM.open(box, using: seal) else {
      return nil
    }
    return String(validating: text, as: UTF8.self).map { Cursor($0) }
  }

  // MARK: Rows

  public func text(_ text: String) -> String {
    var worker = worker()
    return worker.text(text)
  }

  func covered(_ row: HostDayRow) -> HostDayRow {
    var worker = worker([row.host])
    var out = row
    out.host = worker.address(row.host)
    out.reason = worker.text(row.reason)
    return out
  }

  func covered(_ day: HostDay) -> HostDay {
    var worker = worker([day.host])
    var out = day
    worker.anonymise(&out)
    for i in out.findings.indices { out.findings[i].alias = covered(id: day.findings[i].id) }
    return out
  }

  func covered(_ stored: StoredFinding) -> StoredFinding {
    var worker = worker([stored.finding.host])
    var out = stored
    worker.anonymise(&out.finding)
    out.id = covered(id: stored.id)
    out.finding.alias = out.id
    return out
  }

  public func covered(_ hidden: HiddenFinding) -> HiddenFinding {
    var worker = worker([hidden.finding.host])
    var out = hidden
    worker.anonymise(&out.finding)
    out.finding.alias = covered(id: hidden.finding.id)
    out.rule = worker.text(hidden.rule)
    return out
  }

  func covered(_ item: Case) -> Case {
    var worker = worker(item.hosts)
    var out = item
    out.owner = worker.text(item.owner)
    out.hosts = item.hosts.map { worker.address($0) }.sorted()
    return out
  }

  func covered(_ record: CaseRecord) -> CaseRecord {
    var worker = worker(record.summary.hosts)
    var out = record
    out.summary = covered(record.summary)
    out.findings = record.findings.map(covered)
    for i in out.changes.indices {
      out.changes[i].reason = worker.text(record.changes[i].reason)
      out.changes[i].actor.origin = ""
    }
    out.suggestions = record.suggestions.map { covered($0, &worker) }
    return out
  }

  func covered(_ stored: StoredAllowRule) -> StoredAllowRule {
    var worker = worker()
    var out = stored
    out.rule = covered(stored.rule, &worker)
    out.reason = worker.text(stored.reason)
    out.actor.origin = ""
    return out
  }

  func covered(_ entry: AuditEntry) -> AuditEntry {
    var worker = worker()
    var out = entry
    out.actor.origin = worker.text(entry.actor.origin)
    out.subject = worker.text(entry.subject)
    out.detail = worker.text(entry.detail)
    return out
  }

  private func covered(_ rule: AllowList.Rule, _ worker: inout ReportAnonymiser) -> AllowList.Rule {
    func source(_ prefix: Prefix) -> Prefix {
      Prefix(prefix.isOneHost ? names.standIn(for: prefix.address) : names.standIn(for: prefix), length: 128)
    }
    func destination(_ prefix: Prefix) -> Prefix { worker.isInternal(prefix.address) ? source(prefix) : prefix }
    switch rule {
    case .source(let prefix): return .source(source(prefix))
    case .destination(let prefix): return .destination(destination(prefix))
    case .pair(let from, let to): return .pair(source(from), destination(to))
    case .name(let name):
      return .name(name.hasPrefix("*.") ? "*." + worker.name(String(name.dropFirst(2))) : worker.name(name))
    }
  }

  /// `nil` for what would lead to nothing: names that only our network knows, peers that are ours.
  func covered(_ hit: SearchHit) -> SearchHit? {
    var worker = worker()
    var out = hit
    switch hit.kind {
    case .host:
      guard let host = IPAddress(hit.key) else { return nil }
      worker.ours = [host]
      out.key = names.standIn(for: host).description
    case .finding: out.key = covered(id: hit.key)
    case .name where worker.name(hit.key) != hit.key, .peer where worker.text(hit.key) != hit.key: return nil
    case .name, .peer, .botnet, .case: break
    }
    out.title = hit.kind == .name ? worker.name(hit.title) : worker.text(hit.title)
    out.detail = worker.text(hit.detail)
    return out
  }

  /// Sensors and pipeline: names of networks, and addresses of exporters and of the station itself.
  public func covered(_ health: StationHealth) -> StationHealth {
    var worker = worker()
    var out = health
    out.pipeline.home = []
    out.pipeline.warnings = health.pipeline.warnings.map { worker.text($0) }
    for i in out.sources.indices {
      let source = health.sources[i]
      out.sources[i].name = worker.text(source.name)
      out.sources[i].place = worker.text(source.place)
      out.sources[i].trouble = source.trouble.map { worker.text($0) }
      out.sources[i].details = Dictionary(
        source.details.map { (worker.text($0.key), worker.text($0.value)) }, uniquingKeysWith: { first, _ in first })
    }
    out.store.reason = health.store.reason.map { worker.text($0) }
    return out
  }
}

extension Prefix {
  var isOneHost: Bool { length == (address.isV4 ? 32 : 128) }
}
