# The collector's resources, as sources of its program: version, manifest, message table.
enable_language(RC)
set(resources ${CMAKE_CURRENT_BINARY_DIR}/resources)
file(MAKE_DIRECTORY ${resources})
configure_file(${CMAKE_CURRENT_LIST_DIR}/evenkeel-collector.rc.in ${resources}/evenkeel-collector.rc @ONLY)
set(here ${CMAKE_CURRENT_LIST_DIR})
add_custom_command(OUTPUT ${resources}/messages.rc ${resources}/messages.h
  COMMAND ${CMAKE_MC_COMPILER} -h ${resources} -r ${resources} ${here}/messages.mc
  DEPENDS ${here}/messages.mc)
set_source_files_properties(${resources}/evenkeel-collector.rc PROPERTIES
  OBJECT_DEPENDS "${resources}/messages.rc;${here}/evenkeel-collector.manifest"
  COMPILE_OPTIONS "-I${resources};-I${here}")
