# A folder is a namespace is a target: these two functions are the only way one is made.

# holdfast_library(NAME SOURCES… [USES target…] [PRIVATE_USES target…]): common/NAME as the static library NAME.
function(holdfast_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;PRIVATE_USES" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC ${ARG_USES} PRIVATE ${ARG_PRIVATE_USES})
endfunction()

# holdfast_program(NAME SOURCES… USES…): folder NAME as the library NAME_parts (all but main.cc, so that
# tests/unit can link it) and the program NAME.
function(holdfast_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES" ${ARGN})
  add_library(${name}_parts STATIC ${ARG_SOURCES})
  target_link_libraries(${name}_parts PUBLIC ${ARG_USES})
  add_executable(${name} main.cc)
  target_link_libraries(${name} PRIVATE ${name}_parts)
  set_property(GLOBAL APPEND PROPERTY HOLDFAST_PROGRAMS ${name})
endfunction()

# holdfast_unit_test(NAME SOURCES… USES…): the GoogleTest program unit_NAME, one ctest entry.
function(holdfast_unit_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES" ${ARGN})
  add_executable(unit_${name} ${ARG_SOURCES})
  target_link_libraries(unit_${name} PRIVATE ${ARG_USES} GTest::gtest_main)
  # What is tested is optimised; the tests themselves compile a third quicker without.
  target_compile_options(unit_${name} PRIVATE $<$<CONFIG:Release>:-O0>)
  add_test(NAME unit_${name} COMMAND unit_${name} --gtest_brief=1)
  math(EXPR time "120 * ${PATIENCE}")
  set_tests_properties(unit_${name} PROPERTIES TIMEOUT ${time} LABELS unit)
endfunction()
