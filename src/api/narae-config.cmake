# SPDX-License-Identifier: Apache-2.0
# find_package(narae): the imported target narae::narae. The library's own dependencies are its own business.
include("${CMAKE_CURRENT_LIST_DIR}/narae-targets.cmake")
