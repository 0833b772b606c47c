// SPDX-License-Identifier: Apache-2.0
// A blocking HTTP client over one connection, for narae load.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace narae {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

class HttpClient {
 public:
  // "http://HOST:PORT", the scheme may be left out. Throws Error usage.
  explicit HttpClient(const std::string& url);
  ~HttpClient();
  // Connects where it is not connected. Throws Error failed; the next call connects anew.
  HttpAnswer call(const std::string& method, const std::string& path, const std::string& body,
                  const std::vector<std::pair<std::string, std::string>>& headers = {});

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace narae
