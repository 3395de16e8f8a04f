/// One request with its answer in HTTP/1.1 (RFC 9112).
struct SyntheticHTTP: Sendable {
  var method = "GET"
  /// `Host` header; an address in text when the client knows no name.
  var host: String
  var target: String
  var userAgent: String?
  var referer: String?
  var requestOctets = 0
  var status = 200
  var responseOctets: Int
  var contentType = "text/html"
  /// Index into the conversation's steps of the request head: gives its time.
  var step = 0

  var requestHead: [UInt8] {
    var text = "\(method) \(target) HTTP/1.1\r\nHost: \(host)\r\n"
    if let userAgent { text += "User-Agent: \(userAgent)\r\n" }
    text += "Accept: */*\r\n"
    if let referer { text += "Referer: \(referer)\r\n" }
    if method == "POST" { text += "Content-Type: application/octet-stream\r\nContent-Length: \(requestOctets)\r\n" }
    return Array((text + "\r\n").utf8)
  }

  var responseHead: [UInt8] {
    // RFC 9110 section 9.3.6: no length, the tunnel begins.
    if method == "CONNECT" { return Array("HTTP/1.1 200 Connection established\r\n\r\n".utf8) }
    return Array(
      "HTTP/1.1 \(status) \(reason)\r\nServer: simulated\r\nContent-Type: \(contentType)\r\nContent-Length: \(responseOctets)\r\n\r\n"
        .utf8)
  }

  var reason: String {
    switch status {
    case 200: "OK"
    case 304: "Not Modified"
    case 404: "Not Found"
    default: "Other"
    }
  }
}
