/// A reason why a finding weighs less than its own numbers would: counted, shown with the finding, and undone on request.
public struct Suppression: Sendable, Hashable {
  public enum Kind: String, Sendable, CaseIterable, Comparable, Codable {
    /// Many machines of this network do the same.
    case prevalence
    /// Port or name are those of an everyday service that keeps time: clocks, push, updates, mail.
    case knownService = "known_service"
    /// What the host is: a peer-to-peer node, a mail server, a resolver.
    case role
    /// Known here for a long time without harm.
    case age

    public static func < (a: Kind, b: Kind) -> Bool {
      (allCases.firstIndex(of: a) ?? 0) < (allCases.firstIndex(of: b) ?? 0)
    }
  }
  public var kind: Kind
  /// Log-odds taken off, in nats; what undoing gives back.
  public var nats: Double
  /// Half a sentence: what was seen.
  public var because: String

  public init(_ kind: Kind, nats: Double, because: String) {
    self.kind = kind
    self.nats = nats
    self.because = because
  }
}

extension Finding {
  /// Takes weight off and says why; what was there to take is what undoing gives back.
  public mutating func lower(_ kind: Suppression.Kind, by nats: Double, because: String) {
    let taken = min(max(0, logOdds), nats)
    logOdds -= taken
    suppressions.append(Suppression(kind, nats: taken, because: because))
  }

  /// The finding as if nothing of these kinds had been taken off.
  func restored(_ kinds: Set<Suppression.Kind>) -> Finding {
    guard suppressions.contains(where: { kinds.contains($0.kind) }) else { return self }
    var whole = self
    for suppression in suppressions where kinds.contains(suppression.kind) { whole.logOdds += suppression.nats }
    whole.suppressions.removeAll { kinds.contains($0.kind) }
    return whole
  }
}
