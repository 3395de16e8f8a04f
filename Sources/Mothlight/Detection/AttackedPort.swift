/// Ports over which machines are broken into, by what healthy machines do on them.
enum AttackedPort {
  /// Remote shells and management of small devices, which no healthy machine tries on strangers: Telnet (23, 2323, 23231,
  /// 5358), Android debugging, TR-069, Winbox, two routers' UPnP and SDK ports. Port lists: Antonakakis et al. 2017 (Mirai);
  /// Herwig et al., NDSS 2019 (Hajime); CVE-2017-17215 (37215), CVE-2014-8361 (52869).
  static func isDeviceShell(_ port: UInt16) -> Bool {
    switch port {
    case 23, 2323, 23231, 5358, 5555, 7547, 8291, 37215, 52869: true
    default: false
    }
  }

  /// SSH: administrators use it too, so it needs many more strangers.
  static func isSSH(_ port: UInt16) -> Bool { port == 22 || port == 2222 }

  /// Web pages of cameras and routers; healthy browsers meet them as well, so they only add to the others.
  static func isDeviceWeb(_ port: UInt16) -> Bool {
    switch port {
    case 80, 81, 88, 8080, 8081, 8443: true
    default: false
    }
  }

  /// Services of computers that worms spread by: file sharing, databases, remote desktops, open administration.
  static func isServerService(_ port: UInt16) -> Bool {
    switch port {
    case 135, 139, 445, 873, 1433, 2375, 3306, 3389, 5432, 5900, 5985, 6379, 9200, 11211, 27017: true
    default: false
    }
  }
}
