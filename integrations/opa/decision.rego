# An example of an organisation's own rules over Guiderail's facts. Put it on your OPA server, or into GUIDERAIL_REGO_DIR, and let a
# policy pack use the gate GR107. `curl -H "Authorization: Bearer $GUIDERAIL_TOKEN" "$GUIDERAIL_URL/api/v1/submissions/S-1/facts?as=opa"`
# gives the input.
package guiderail.decision

import rego.v1

deny contains "Models about people's credit stay in the region EU: say so in the serving target." if {
	input.facts["decision.domain"] == "credit"
	not input.facts["rollout.strategy"]
}

deny contains message if {
	input.facts["rollout.strategy"] == "full"
	input.facts["decision.automated"] == true
	message := "Automated decisions are not rolled out to everybody at once. Use a canary or a gradual roll-out."
}

warn contains "The model came from a third party: ask procurement for the contract's number." if {
	input.facts["vendor.third_party"] == true
}
