import Mothlight

/// What pages or calls are made from, and what of it a role may see.
protocol SeenByRole: Sendable {
  var store: any Store { get set }
  var privacy: StationPrivacy { get }
  /// Set where addresses of ours are not shown.
  var veil: Veil? { get set }
}

extension SeenByRole {
  /// The same as somebody of that role sees it.
  func seen(by role: Role) -> Self {
    guard let veiled = privacy.veil(for: role) else { return self }
    var copy = self
    copy.store = veiled
    copy.veil = veiled.veil
    return copy
  }
}
