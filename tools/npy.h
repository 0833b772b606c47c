// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy files (numpy.org/devdocs/reference/generated/numpy.lib.format.html), versions 1 to 3, plain numbers
// only. Elements are row-major and little-endian; what is Fortran-ordered, big-endian or pickled is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace narae {

struct NpyArray {
  std::string descr;  // NumPy's name of the element type, such as "<f4", "<i8", "|u1", "|b1"
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;  // keeps `bytes` alive
};

// Bytes of one element of type `descr`; 0: not a plain little-endian number.
size_t npy_element_size(const std::string& descr);

// Maps the file. Throws Error bad_file for anything that is not a plain array.
NpyArray read_npy(const std::string& path);

// Writes atomically; `array.bytes` must hold exactly what shape and descr say.
void write_npy(const std::string& path, const NpyArray& array);

}  // namespace narae
