// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "mothlight-station-store",
  dependencies: [.package(name: "mothlight", path: "../..")],
  targets: [
    .executableTarget(
      name: "StationStore",
      dependencies: [
        .product(name: "Mothlight", package: "mothlight"), .product(name: "MothlightStore", package: "mothlight"),
      ],
      swiftSettings: [.enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility")])
  ]
)
