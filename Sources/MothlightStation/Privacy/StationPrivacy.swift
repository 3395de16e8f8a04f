import Mothlight

/// Who sees addresses of ours on pages and in the API, and how what is shown is marked.
public struct StationPrivacy: Sendable {
  /// Who sees pseudonyms in the place of addresses.
  public enum Readers: String, Sendable, CaseIterable {
    case nobody
    /// The role that only reads; who has to act on a machine has to know which it is.
    case viewers
    case everybody
  }

  public static let none = StationPrivacy()

  public let readers: Readers
  /// A marking above that of the contents.
  public let tlp: TLP?
  private let veiled: VeiledStore?

  private init() { (readers, tlp, veiled) = (.nobody, nil, nil) }

  /// - Parameters:
  ///   - key: `ReportAnonymiser.keyOctets` octets; with the key of `read --anonymise` a machine has one name in both.
  ///   - home: our networks as they are known by now.
  public init(
    _ readers: Readers, tlp: TLP? = nil, store: any Store, key: [UInt8], home: @escaping @Sendable () -> [Prefix],
    clock: (@Sendable () -> Timestamp)? = nil
  ) throws(ConfigurationError) {
    self.readers = readers
    self.tlp = tlp
    let clock = clock ?? { Clock.now() }
    veiled = readers == .nobody ? nil : VeiledStore(store, try Veil(key: key, home: home), clock: clock)
  }

  /// Only markings, addresses for everybody.
  public init(tlp: TLP?) {
    self.tlp = tlp
    (readers, veiled) = (.nobody, nil)
  }

  /// What a reader of that role is to see through; `nil`: nothing is hidden.
  func veil(for role: Role) -> VeiledStore? {
    switch readers {
    case .nobody: nil
    case .viewers: role == .viewer ? veiled : nil
    case .everybody: veiled
    }
  }

  /// Machines that may be infected are for the organisation and its clients; under pseudonyms, for the community.
  func marking(for role: Role) -> TLP { max(tlp ?? .clear, veil(for: role) == nil ? .amber : .green) }

  // MARK: For those who see addresses

  /// The machine that a pseudonym stands for, so that what a viewer tells can be found; `nil` when it is no pseudonym of ours.
  func host(_ text: String) async -> IPAddress? {
    guard let name = IPAddress(standInName: text) else { return nil }
    return await veiled?.host(named: name)
  }

  /// The name under which others see a machine.
  func pseudonym(of host: IPAddress) -> String? { host.isStandIn ? nil : veiled?.veil.standIn(for: host).description }

  /// A rule from a form or a body, in which names may stand for machines.
  func rule(_ text: String, _ role: Role) async throws -> AllowList.Rule {
    guard let veiled else { return try AllowList.parse(text) }
    let rule = try AllowList.parse(text, standIns: true)
    return veil(for: role) == nil ? try await veiled.uncovered(rule, mayNameOurs: true) : rule
  }
}

/// A machine as a path, form or body names it: an address, or a pseudonym.
enum HostName {
  static func address(_ text: some StringProtocol) -> IPAddress? { IPAddress(standInName: text) ?? IPAddress(text) }

  /// One machine or a network; where addresses are not shown, one machine by its name.
  static func prefix(_ text: String, isVeiled: Bool) -> Prefix? {
    if let name = IPAddress(standInName: text) { return Prefix(name, length: 128) }
    return isVeiled ? nil : Prefix(text)
  }
}
