/// How far what the registry says may go.
public enum RegistryMarking {
  /// Feeds are read under licences of their own, notes are the operator's, and sizes of censuses hold small networks: within the
  /// organisation, until somebody has looked at what is in it.
  public static let contents = TLP.amber

  /// - Throws: `ConfigurationError` for a marking below.
  public static func marking(_ asked: TLP?) throws(ConfigurationError) -> TLP {
    try TLP.marking(asked, of: contents)
  }
}
