/// Server ports on which a protocol surprises nobody (IANA registry and common products).
///
/// Elsewhere the event carries `Anomalies.protocolOnOddPort`.
enum UsualPorts {
  static func contains(_ port: UInt16, _ service: Service) -> Bool {
    switch service {
    case .http:
      switch port {
      case 80, 631, 3128, 5357, 5985, 7547, 8000, 8008, 8080, 8081, 8088, 8888: true
      default: false
      }
    case .tls:
      switch port {
      case 443, 465, 563, 636, 853, 989, 990, 992, 993, 994, 995, 3269, 5061, 5223, 5228, 5671, 5986, 6697, 8443, 8883,
        9443:
        true
      default: false
      }
    case .quic: port == 443 || port == 80 || port == 784 || port == 853 || port == 8443 || port == 8853
    case .ssh: port == 22 || port == 830
    case .dns: port == 53
    case .irc: (6660...6669).contains(port) || port == 6697 || port == 7000 || port == 194
    default: true
    }
  }

  static func anomaly(_ port: UInt16, _ service: Service) -> Anomalies {
    contains(port, service) ? [] : .protocolOnOddPort
  }
}
