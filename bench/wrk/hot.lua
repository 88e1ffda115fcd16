dofile("bench/wrk/common.lua")
local body = '{"location":"L1","lines":[{"sku":"S1","quantity":1}],"kind":"cart"}'
function request() return send("POST", "/api/v1/reservations", body, true) end
