/// The columns that Mothlight reads, over all kinds of Zeek logs; any other is ignored.
enum ZeekField: UInt8, CaseIterable {
  case ts, originHost, originPort, responderHost, responderPort, transport, service, duration
  case originBytes, responderBytes, connectionState, history
  case originPackets, originIPBytes, responderPackets, responderIPBytes
  case query, queryType, responseCode, rejected, answers, ttls
  case method, host, uri, referrer, userAgent, requestBodyLength, responseBodyLength, statusCode, responseTypes
  case clientHeaderNames
  case version, serverName, established, subject, issuer, chainPrints, nextProtocol, ja3, ja3s, ja4
  case client, server, authSuccess, authAttempts, hassh, hasshServer, status
  case nick, user, command, value, additional
  case uid, path

  var name: String {
    switch self {
    case .ts: "ts"
    case .originHost: "id.orig_h"
    case .originPort: "id.orig_p"
    case .responderHost: "id.resp_h"
    case .responderPort: "id.resp_p"
    case .transport: "proto"
    case .service: "service"
    case .duration: "duration"
    case .originBytes: "orig_bytes"
    case .responderBytes: "resp_bytes"
    case .connectionState: "conn_state"
    case .history: "history"
    case .originPackets: "orig_pkts"
    case .originIPBytes: "orig_ip_bytes"
    case .responderPackets: "resp_pkts"
    case .responderIPBytes: "resp_ip_bytes"
    case .query: "query"
    case .queryType: "qtype"
    case .responseCode: "rcode"
    case .rejected: "rejected"
    case .answers: "answers"
    case .ttls: "TTLs"
    default: applicationName
    }
  }

  private var applicationName: String {
    switch self {
    case .requestBodyLength: "request_body_len"
    case .responseBodyLength: "response_body_len"
    case .statusCode: "status_code"
    case .responseTypes: "resp_mime_types"
    case .clientHeaderNames: "client_header_names"
    case .userAgent: "user_agent"
    case .serverName: "server_name"
    case .chainPrints: "cert_chain_fps"
    case .nextProtocol: "next_protocol"
    case .authSuccess: "auth_success"
    case .authAttempts: "auth_attempts"
    case .additional: "addl"
    case .path: "_path"
    default: "\(self)"
    }
  }

  static let count = ZeekField.allCases.count
  static let byName = Dictionary(uniqueKeysWithValues: ZeekField.allCases.map { ($0.name, $0) })
}

/// One record of a Zeek log, whatever its syntax: the mapping to observations is written once over this.
protocol ZeekRow {
  /// Raw bytes of a field; `nil` when the log lacks it or it is unset.
  func bytes(_ field: ZeekField) -> UnsafeRawBufferPointer?
  func string(_ field: ZeekField, limit: Int) -> String?
  /// The field with its escapes resolved.
  func withText<R>(_ field: ZeekField, _ body: (UnsafeRawBufferPointer) -> R) -> R?
  func flag(_ field: ZeekField) -> Bool?
  /// Elements of a set or vector, at most `limit`.
  func forEach(_ field: ZeekField, limit: Int, _ body: (UnsafeRawBufferPointer) -> Void)
}

extension ZeekRow {
  @inline(__always)
  func count(_ field: ZeekField) -> UInt64? {
    guard let text = bytes(field) else { return nil }
    return ASCIINumber.unsigned(text) ?? ASCIINumber.count(text)
  }

  func text(_ field: ZeekField) -> String? {
    guard let text = string(field, limit: Limits.textOctets), !text.isEmpty else { return nil }
    return text
  }

  /// `ts`: seconds, milliseconds or ISO 8601, as Zeek's JSON writer may be set.
  @inline(__always)
  var time: Timestamp? {
    guard let text = bytes(.ts) else { return nil }
    if let nanoseconds = ASCIINumber.nanoseconds(text) { return Timestamp(nanoseconds: nanoseconds) }
    return ASCIINumber.iso8601(text)
  }
}
