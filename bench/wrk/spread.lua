dofile("bench/wrk/common.lua")
function request()
  return send("POST", "/api/v1/reservations", string.format(
    '{"location":"L%d","lines":[{"sku":"S%d","quantity":1}],"kind":"cart"}', math.random(20), math.random(1000)), true)
end
