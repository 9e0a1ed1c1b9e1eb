# 'cpack' makes evenkeel-collector and evenkeel-aggregator for Debian, one package per component of 'install'.
set(CPACK_GENERATOR DEB)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_COMPONENTS_ALL collector aggregator)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_CONTACT "Evenkeel <evenkeel@lists.invalid>")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SOURCE evenkeel)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each package has its own, as the first line of its description

set(CPACK_DEBIAN_COLLECTOR_PACKAGE_NAME evenkeel-collector)
set(CPACK_COMPONENT_COLLECTOR_DESCRIPTION
"collector of Windows binaries' versions, for Evenkeel
Reads which build of every binary lies on the disk of a Windows host, mounted
anywhere, and what the host's registry declares, and ships what changed to an
Evenkeel aggregator. Runs without root. Also prints the versions of all files
below a folder, without network or configuration.")
set(CPACK_DEBIAN_AGGREGATOR_PACKAGE_NAME evenkeel-aggregator)
set(CPACK_DEBIAN_AGGREGATOR_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_AGGREGATOR_PACKAGE_RECOMMENDS "postgresql (>= 15)")
set(CPACK_DEBIAN_AGGREGATOR_PACKAGE_SUGGESTS "evenkeel-collector, prometheus")
set(CPACK_COMPONENT_AGGREGATOR_DESCRIPTION
"finder of Windows hosts of mixed service-pack levels
Stores in PostgreSQL which builds of which files the hosts of a fleet hold, as
collectors report them, and says which hosts mix files of several service-pack
levels, what a patch would break before it rolls out, and how to get a host
back to one level. Has a nightly report, metrics, and dashboards for Grafana.")

configure_file(${CMAKE_CURRENT_LIST_DIR}/changelog.in changelog.Debian @ONLY)
compress(${CMAKE_CURRENT_BINARY_DIR}/changelog.Debian changelog)
foreach(component IN ITEMS collector aggregator)
  string(TOUPPER ${component} COMPONENT)
  set(here ${CMAKE_CURRENT_LIST_DIR}/${component})
  set(CPACK_DEBIAN_${COMPONENT}_PACKAGE_CONTROL_EXTRA
    ${here}/conffiles ${here}/postinst ${here}/prerm ${here}/postrm)

  set(PACKAGE evenkeel-${component})
  install(FILES ${changelog} ${CMAKE_CURRENT_LIST_DIR}/copyright
    DESTINATION share/doc/${PACKAGE} COMPONENT ${component} EXCLUDE_FROM_ALL)
  install(FILES ${here}/lintian-overrides
    DESTINATION share/lintian/overrides RENAME ${PACKAGE} COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()

include(CPack)
