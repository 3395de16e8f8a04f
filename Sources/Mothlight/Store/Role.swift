/// What somebody may do: a viewer reads, an analyst changes cases and allow rules, an admin also sees users and the audit.
public enum Role: String, Sendable, CaseIterable, Comparable, Codable {
  case viewer, analyst, admin
  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  public static func < (a: Role, b: Role) -> Bool { a.rank < b.rank }
}
