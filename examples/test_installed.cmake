# SPDX-License-Identifier: Apache-2.0
# Installs the build tree into a fresh prefix, builds the examples against it alone and runs them on a model.
# cmake -D BUILD=.. -D SOURCE=.. -D MODEL=.. -D LLM=.. -P test_installed.cmake
set(work "${BUILD}/examples_installed")
set(prefix "${work}/prefix")
file(REMOVE_RECURSE "${work}")

function(step what)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${what} failed (${result}):\n${output}")
  endif()
  set(step_output "${output}" PARENT_SCOPE)
endfunction()

step("installing" ${CMAKE_COMMAND} --install "${BUILD}" --prefix "${prefix}")
foreach(example c cpp ocr)
  step("configuring ${example}" ${CMAKE_COMMAND} -G Ninja -S "${SOURCE}/${example}" -B "${work}/${example}"
    "-DCMAKE_PREFIX_PATH=${prefix}" -DCMAKE_BUILD_TYPE=Release)
  step("building ${example}" ${CMAKE_COMMAND} --build "${work}/${example}" -j 2)
endforeach()

# The answer must be the command's own.
file(WRITE "${work}/chat.json" [=[[{"role":"user","content":"The \"king\""}]]=])
step("asking the command" "${prefix}/bin/narae" generate "${LLM}" --chat "${work}/chat.json" --greedy --max-tokens 20
  --cache-dir "${work}/cache" --json)
string(JSON wanted GET "${step_output}" text)
step("asking a language model" "${work}/cpp/stream_answer" "${LLM}" "The \"king\"" 20)
string(FIND "${step_output}" "${wanted}\n(" found)
if(NOT found EQUAL 0 OR wanted STREQUAL "")
  message(FATAL_ERROR "stream_answer said\n${step_output}\nand not\n${wanted}")
endif()

if(NOT EXISTS "${MODEL}")
  message("wheel: ${MODEL} was not fetched by make setup, so the examples were built and not run")
  return()
endif()
foreach(example c cpp)
  step("running ${example}" "${work}/${example}/run_model_${example}" "${MODEL}" 2x3x48x192)
  if(NOT step_output MATCHES "f32 \\[2,3,48,192\\].*f32 \\[2,2\\]")
    message(FATAL_ERROR "run_model_${example} printed other shapes:\n${step_output}")
  endif()
endforeach()
# An error must name the file and come back as an exit status.
foreach(example c cpp)
  execute_process(COMMAND "${work}/${example}/run_model_${example}" "${work}/missing.onnx" RESULT_VARIABLE result
    ERROR_VARIABLE output)
  if(result EQUAL 0 OR NOT output MATCHES "missing.onnx")
    message(FATAL_ERROR "run_model_${example} on a missing file: exit ${result}, \"${output}\"")
  endif()
endforeach()
