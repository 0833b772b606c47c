// SPDX-License-Identifier: Apache-2.0
// A library of the vendor's, found at run time: first in the folders that the owner named, then where the system looks.
// Never unloaded.
#pragma once

#include <string>
#include <vector>

namespace narae::cuda {

class VendorLibrary {
 public:
  // `names` in order of preference, such as {"libx.so.13", "libx.so"}; `dirs`: "DIR:DIR", may be empty.
  VendorLibrary(const std::vector<std::string>& names, const std::string& dirs);
  bool loaded() const { return handle_ != nullptr; }
  const std::string& reason() const { return reason_; }  // why it is not
  // Null, with a reason, where the library lacks it.
  template <typename Function>
  bool find(const char* name, Function*& function) {
    function = reinterpret_cast<Function*>(symbol(name));
    return function != nullptr;
  }

 private:
  void* symbol(const char* name);
  void* handle_ = nullptr;
  std::string reason_;
};

}  // namespace narae::cuda
