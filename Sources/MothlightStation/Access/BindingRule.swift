import Mothlight

/// Where a page may be served, and to whom it then is: beyond this machine only encrypted, and only to users.
public enum BindingRule {
  /// - Throws: one line that says what to do.
  public static func check(_ address: IPAddress, hasTLS: Bool, users: Int) throws(ListenError) {
    guard !address.isLoopback else { return }
    guard hasTLS else {
      throw ListenError(
        "\(address): is no loopback address, and the page is not encrypted; give a certificate or let one be made (tls), "
          + "or bind to 127.0.0.1")
    }
    guard users > 0 else {
      throw ListenError(
        "\(address): is no loopback address, and there is no user yet; add one first: mothlight users add NAME --role admin"
      )
    }
  }
}
