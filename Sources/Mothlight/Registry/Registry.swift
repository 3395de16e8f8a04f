/// Known names, addresses and prints with source, date and expiry.
public struct Registry: Sendable {
  public init() {}
}
