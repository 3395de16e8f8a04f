import HTTPTypes

/// The cookie that a session's secret travels in.
///
/// By TLS its name begins with `__Host-`: browsers then take it only from this host, for the whole of it, encrypted (RFC 6265bis
/// section 4.1.3). It is never sent with requests that another site began.
struct SessionCookie: Sendable {
  let name: String
  private let isEncrypted: Bool

  init(isEncrypted: Bool, purpose: String = "") {
    self.isEncrypted = isEncrypted
    name = (isEncrypted ? "__Host-mothlight" : "mothlight") + purpose
  }

  /// What the browser sent; `nil` when there is none, or more than one: then somebody else has set one of them.
  func value(in headers: HTTPFields) -> String? {
    let found = headers[values: .cookie].flatMap { $0.split(separator: ";") }.compactMap { pair -> Substring? in
      let trimmed = pair.drop { $0 == " " }
      guard trimmed.hasPrefix(name + "=") else { return nil }
      return trimmed.dropFirst(name.utf8.count + 1)
    }
    return found.count == 1 ? String(found[0]) : nil
  }

  /// - Parameter seconds: until the browser forgets it.
  func setting(_ value: String, seconds: Int) -> String {
    "\(name)=\(value); Path=/; Max-Age=\(seconds); HttpOnly; SameSite=Strict" + (isEncrypted ? "; Secure" : "")
  }

  var clearing: String { setting("", seconds: 0) }
}
